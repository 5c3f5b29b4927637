import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Card, Skeleton } from "@/ui/Page";
import { Status } from "@/ui/Status";
import { usersOfCredentials } from "../proxies/queries";
import type { Credential } from "./queries";

/** The proxies that a credential belongs to. */
export function UsedBy({ clientId, credential }: { clientId: string; credential: Credential }) {
  const { data } = useQuery(usersOfCredentials(clientId, [credential.credentialId]));
  return (
    <Card title="Used by">
      {!data ? (
        <Skeleton className="h-6" />
      ) : data.length === 0 ? (
        <p className="text-sm text-soft">No proxy uses it.</p>
      ) : (
        <ul className="flex flex-col gap-2">
          {data.map(({ proxyId, proxyName, proxyStatus }) => (
            <li key={proxyId} className="flex items-center justify-between gap-3 text-sm">
              <Link
                to="/o/$clientId/proxies/$proxyId"
                params={{ clientId, proxyId }}
                className="min-w-0 truncate font-medium hover:underline"
                dir="auto"
              >
                {proxyName}
              </Link>
              <Status word={proxyStatus} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
