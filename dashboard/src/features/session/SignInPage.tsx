import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { Door } from "./Door";
import { methodsQuery } from "./methods";
import { Providers } from "./Providers";
import { SignInForm } from "./SignInForm";

const route = getRouteApi("/sign-in");

export function SignInPage() {
  const { next } = route.useSearch();
  const router = useRouter();
  const queries = useQueryClient();
  const { data: methods } = useQuery(methodsQuery);
  useEffect(() => {
    document.title = "Sign in · RequestRocket";
  }, []);
  // A path of ours only: whatever somebody put into a link, it leads nowhere else.
  const href = next?.startsWith("/") && !next.startsWith("//") ? next : "/";
  const enter = async () => {
    queries.clear();
    await router.navigate({ href, replace: true });
  };
  return (
    <Door title="Sign in" about="Manage the APIs that your organisation calls.">
      <Providers providers={methods?.providers ?? []} next={href} />
      {methods?.password !== false && (
        <>
          <SignInForm onDone={() => void enter()} />
          <p className="mt-6 text-sm">
            <Link to="/forgot">No password yet, or lost it?</Link>
          </p>
        </>
      )}
    </Door>
  );
}
