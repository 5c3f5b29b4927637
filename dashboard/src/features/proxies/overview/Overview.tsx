import { useQueries, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { credentialQuery } from "@/features/credentials/queries";
import { AUTH_TYPES } from "@/features/credentials/words";
import { targetQuery } from "@/features/targets/queries";
import { CopyLine } from "@/ui/Copy";
import { Notice } from "@/ui/Notice";
import { Card, Facts, Skeleton } from "@/ui/Page";
import { Status, Tag } from "@/ui/Status";
import { proxyQuery, proxyStatusQuery, type Proxy } from "../queries";
import { CallLines } from "./CallLines";
import { Fleet } from "./Fleet";

const route = getRouteApi("/in/o/$clientId/proxies/$proxyId/");

export function Overview() {
  const { clientId, proxyId } = route.useParams();
  const { data } = useSuspenseQuery(proxyQuery(clientId, proxyId));
  const status = useQuery(proxyStatusQuery(clientId, proxyId));
  const proxy = data.value;
  return (
    <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <div className="flex min-w-0 flex-col gap-5">
        <Address proxy={proxy} />
        <CallLines proxy={proxy} />
      </div>
      <div className="flex min-w-0 flex-col gap-5">
        <Card title="Made of">
          <Parts proxy={proxy} />
        </Card>
        <Card title="Envoys">
          {status.data ? <Fleet nodes={status.data.nodes} /> : <Skeleton className="h-16" />}
        </Card>
      </div>
    </div>
  );
}

function Address({ proxy }: { proxy: Proxy }) {
  return (
    <Card title="Address">
      {proxy.proxyStatus === "incomplete" && (
        <div className="mb-4">
          <Notice tone="bad" title="A part of this proxy is gone">
            Calls are answered 503 until its settings name another target or credential.
          </Notice>
        </div>
      )}
      {proxy.proxyBaseURL ? (
        <CopyLine text={proxy.proxyBaseURL} label="Copy the base URL" />
      ) : (
        <p className="text-sm text-soft">
          Its region has not connected yet; the address is known as soon as it has.
        </p>
      )}
    </Card>
  );
}

function Parts({ proxy }: { proxy: Proxy }) {
  const { clientId, proxyTargetId, proxyTargetCredentialId, proxyProxyCredentialIds } = proxy;
  const target = useQuery({ ...targetQuery(clientId, proxyTargetId), retry: false });
  const given = useQuery({ ...credentialQuery(clientId, proxyTargetCredentialId), retry: false });
  const presented = useQueries({
    queries: proxyProxyCredentialIds
      .slice(0, 20)
      .map((id) => ({ ...credentialQuery(clientId, id), retry: false })),
  });
  const more = proxyProxyCredentialIds.length - presented.length;
  return (
    <Facts
      rows={[
        ["Region", <Tag key="region">{proxy.proxyRegion}</Tag>],
        [
          "Target",
          <Part key="target" error={target.isError}>
            {target.data && (
              <Link
                to="/o/$clientId/targets/$targetId"
                params={{ clientId, targetId: proxyTargetId }}
                className="font-medium hover:underline"
              >
                {target.data.value.targetName}
                <code className="block truncate font-mono text-xs font-normal text-soft">
                  {target.data.value.targetBaseURL}
                </code>
              </Link>
            )}
          </Part>,
        ],
        [
          "Target is given",
          <Part key="given" error={given.isError}>
            {given.data && (
              <Link
                to="/o/$clientId/target-credentials/$credentialId"
                params={{ clientId, credentialId: proxyTargetCredentialId }}
                className="font-medium hover:underline"
              >
                {given.data.value.credentialName}
                <span className="block text-xs font-normal text-soft">
                  {AUTH_TYPES[given.data.value.credentialAuthType].label}
                </span>
              </Link>
            )}
          </Part>,
        ],
        [
          "Callers present",
          <ul key="presented" className="flex flex-col gap-1.5">
            {presented.map(({ data: one }) =>
              one ? (
                <li key={one.value.credentialId} className="flex flex-wrap items-center gap-2">
                  <Link
                    to="/o/$clientId/proxy-credentials/$credentialId"
                    params={{ clientId, credentialId: one.value.credentialId }}
                    className="font-medium hover:underline"
                  >
                    {one.value.credentialName}
                  </Link>
                  {one.value.credentialStatus !== "active" && (
                    <Status word={one.value.credentialStatus} />
                  )}
                </li>
              ) : null,
            )}
            {proxyProxyCredentialIds.length === 0 && (
              <li className="text-bad">None: nobody can call.</li>
            )}
            {more > 0 && <li className="text-soft">and {more} more</li>}
          </ul>,
        ],
      ]}
    />
  );
}

function Part({ error, children }: { error: boolean; children: React.ReactNode }) {
  return error ? (
    <span className="text-bad">Deleted</span>
  ) : (
    (children ?? <Skeleton className="h-5" />)
  );
}
