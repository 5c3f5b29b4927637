import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { onSignedOut } from "@/api/client";
import { sessionQuery } from "@/api/session";
import { Dialog } from "@/ui/Dialog";

const SignInForm = lazy(async () => ({ default: (await import("./SignInForm")).SignInForm }));

/** Signs in again over the page when the session ends: what was written below stays. */
export function SessionKeeper() {
  const [isExpired, setExpired] = useState(false);
  const { data } = useQuery(sessionQuery);
  const queries = useQueryClient();
  const router = useRouter();
  useEffect(() => onSignedOut(() => setExpired(true)), []);
  const resume = async () => {
    setExpired(false);
    await queries.invalidateQueries();
    await router.invalidate();
  };
  return (
    <Dialog
      open={isExpired}
      title="Your session ended"
      about="Sign in again to go on where you are. What you wrote on this page is still there."
    >
      <Suspense>
        {isExpired && <SignInForm email={data?.email} onDone={() => void resume()} />}
      </Suspense>
    </Dialog>
  );
}
