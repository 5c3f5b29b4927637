import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { ArrowRight, KeyRound, ShieldCheck, Target, Waypoints } from "lucide-react";
import { organisationQuery, regionsQuery } from "@/api/session";
import { buttonClass } from "@/ui/Button";
import { Card, Page, Skeleton } from "@/ui/Page";
import { Pill, Tag } from "@/ui/Status";
import { credentialsQuery } from "../credentials/queries";
import { proxiesQuery } from "../proxies/queries";
import { targetsQuery } from "../targets/queries";
import { DashboardTabs } from "./DashboardTabs";
import { FirstProxy } from "./FirstProxy";

// Loaded beside the page, which is shown without it.
const Newest = lazy(async () => ({
  default: (await import("../notifications/Newest")).Newest,
}));

const route = getRouteApi("/in/o/$clientId/");
const ONE = { limit: 20 } as const;

export function HomePage() {
  const { clientId } = route.useParams();
  const organisation = useQuery(organisationQuery(clientId));
  const proxies = useQuery(proxiesQuery(clientId, ONE));
  const presented = useQuery(credentialsQuery(clientId, "proxy", ONE));
  const targets = useQuery(targetsQuery(clientId, ONE));
  const given = useQuery(credentialsQuery(clientId, "target", ONE));
  const counts = {
    proxies: proxies.data?.pagination.total,
    presented: presented.data?.pagination.total,
    targets: targets.data?.pagination.total,
    given: given.data?.pagination.total,
  };
  return (
    <Page
      title={organisation.data?.clientName ?? "Dashboard"}
      about="What your organisation calls, and who may."
    >
      <DashboardTabs clientId={clientId} />
      <div className="flex flex-col gap-5">
        {proxies.data?.pagination.total === 0 && <FirstProxy clientId={clientId} counts={counts} />}
        <div className="grid gap-3 sm:grid-cols-2 xl:grid-cols-4">
          <Count
            clientId={clientId}
            to="/o/$clientId/proxies"
            icon={Waypoints}
            label="Proxies"
            n={counts.proxies}
          />
          <Count
            clientId={clientId}
            to="/o/$clientId/proxy-credentials"
            icon={ShieldCheck}
            label="Proxy credentials"
            n={counts.presented}
          />
          <Count
            clientId={clientId}
            to="/o/$clientId/targets"
            icon={Target}
            label="Targets"
            n={counts.targets}
          />
          <Count
            clientId={clientId}
            to="/o/$clientId/target-credentials"
            icon={KeyRound}
            label="Target credentials"
            n={counts.given}
          />
        </div>
        <div className="grid gap-5 xl:grid-cols-2">
          <Regions />
          <Notifications clientId={clientId} />
        </div>
      </div>
    </Page>
  );
}

interface CountProps {
  clientId: string;
  to:
    | "/o/$clientId/proxies"
    | "/o/$clientId/proxy-credentials"
    | "/o/$clientId/targets"
    | "/o/$clientId/target-credentials";
  icon: typeof Target;
  label: string;
  n: number | undefined;
}

function Count({ clientId, to, icon: Icon, label, n }: CountProps) {
  return (
    <Link
      to={to}
      params={{ clientId }}
      className="group rounded-lg border border-line bg-surface p-4 transition-colors hover:border-line-strong"
    >
      <span className="flex items-center justify-between text-sm text-soft">
        <span className="flex items-center gap-2">
          <Icon aria-hidden className="size-4 text-accent" /> {label}
        </span>
        <ArrowRight
          aria-hidden
          className="size-4 text-faint transition-transform group-hover:translate-x-0.5"
        />
      </span>
      <span className="mt-2 block h-9 text-2xl font-semibold tracking-tight tabular">
        {n ?? <Skeleton className="mt-2 h-6 w-10" />}
      </span>
    </Link>
  );
}

function Notifications({ clientId }: { clientId: string }) {
  return (
    <Card
      flush
      title="Notifications"
      actions={
        <Link
          to="/o/$clientId/notifications"
          params={{ clientId }}
          className={buttonClass("quiet", true)}
        >
          Show all
        </Link>
      }
    >
      <Suspense fallback={<div className="h-32" />}>
        <Newest clientId={clientId} limit={5} />
      </Suspense>
    </Card>
  );
}

function Regions() {
  const { data } = useQuery(regionsQuery);
  return (
    <Card title="Regions">
      {!data ? (
        <Skeleton className="h-10" />
      ) : (
        <ul className="flex flex-col divide-y divide-line">
          {data.data.map((region) => (
            <li
              key={region.regionName}
              className="flex flex-wrap items-center gap-3 py-2 text-sm first:pt-0 last:pb-0"
            >
              <Tag>{region.regionName}</Tag>
              <code className="min-w-0 flex-1 truncate font-mono text-xs text-soft">
                {region.regionBaseURL ?? "has not connected yet"}
              </code>
              <span className="text-xs text-soft tabular">
                {region.envoys === 1 ? "1 Envoy" : `${region.envoys} Envoys`}
              </span>
              <Pill tone={region.regionConnected ? "ok" : "bad"}>
                {region.regionConnected ? "Connected" : "Away"}
              </Pill>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
