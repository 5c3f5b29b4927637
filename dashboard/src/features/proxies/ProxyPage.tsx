import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, Outlet } from "@tanstack/react-router";
import { Failed, Page, Skeleton } from "@/ui/Page";
import { Status } from "@/ui/Status";
import { Tabs, type Tab } from "@/ui/Tabs";
import { proxyQuery } from "./queries";

const route = getRouteApi("/in/o/$clientId/proxies/$proxyId");

/** The frame of a proxy's views. */
export function ProxyPage() {
  const { clientId, proxyId } = route.useParams();
  const query = useQuery({
    ...proxyQuery(clientId, proxyId),
    refetchInterval: ({ state }) => (state.data?.value.proxyStatus === "pending" ? 1_000 : 15_000),
  });
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton className="m-8 h-80" />;
  const params = { clientId, proxyId };
  const tabs: Tab[] = [
    { label: "Overview", link: { to: "/o/$clientId/proxies/$proxyId", params } },
    { label: "Rules", link: { to: "/o/$clientId/proxies/$proxyId/rules", params } },
    { label: "Filters", link: { to: "/o/$clientId/proxies/$proxyId/filters", params } },
    { label: "Meters", link: { to: "/o/$clientId/proxies/$proxyId/meters", params } },
    { label: "Requests", link: { to: "/o/$clientId/proxies/$proxyId/requests", params } },
    { label: "Telemetry", link: { to: "/o/$clientId/proxies/$proxyId/telemetry", params } },
    { label: "History", link: { to: "/o/$clientId/proxies/$proxyId/history", params } },
    { label: "Settings", link: { to: "/o/$clientId/proxies/$proxyId/settings", params } },
  ];
  const { proxyName, proxyStatus } = query.data.value;
  return (
    <Page
      title={proxyName}
      beside={<Status word={proxyStatus} />}
      above={
        <Link to="/o/$clientId/proxies" params={{ clientId }} className="hover:text-ink">
          Proxies
        </Link>
      }
    >
      <Tabs tabs={tabs} label="Proxy" />
      <Outlet />
    </Page>
  );
}
