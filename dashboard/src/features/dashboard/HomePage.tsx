import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { ArrowRight, KeyRound, ShieldCheck, Target, Waypoints } from "lucide-react";
import { organisationQuery } from "@/api/session";
import { useRoles } from "@/api/useRoles";
import { buttonClass } from "@/ui/Button";
import { Card, Page, Skeleton } from "@/ui/Page";
import { credentialsQuery } from "../credentials/queries";
import { proxiesQuery } from "../proxies/queries";
import { RegionsCard } from "../regions/RegionsCard";
import { targetsQuery } from "../targets/queries";
import { DashboardTabs } from "./DashboardTabs";
import { FirstProxy } from "./FirstProxy";
import { QuickActions } from "./QuickActions";

// Loaded beside the page, which is shown without it.
const Newest = lazy(async () => ({
  default: (await import("../notifications/Newest")).Newest,
}));

const route = getRouteApi("/in/o/$clientId/");
const ONE = { limit: 20 } as const;

export function HomePage() {
  const { clientId } = route.useParams();
  const { isManager } = useRoles(clientId);
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
        <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,2fr)]">
          <QuickActions clientId={clientId} isManager={isManager} />
          <Notifications clientId={clientId} />
        </div>
        <RegionsCard clientId={clientId} />
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
