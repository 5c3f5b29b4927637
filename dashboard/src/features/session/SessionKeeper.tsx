import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { onSignedOut } from "@/api/client";
import { sessionQuery } from "@/api/session";

const SignInAgain = lazy(async () => ({ default: (await import("./SignInAgain")).SignInAgain }));

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
  if (!isExpired) return null;
  return (
    <Suspense>
      <SignInAgain session={data} onDone={() => void resume()} />
    </Suspense>
  );
}
