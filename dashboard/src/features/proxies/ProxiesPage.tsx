import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus, Waypoints } from "lucide-react";
import { useState } from "react";
import { regionsQuery } from "@/api/session";
import { nameCell } from "@/table/cells";
import type { Column } from "@/table/DataTable";
import { ListFrame, whileNext } from "@/table/ListFrame";
import { buttonClass } from "@/ui/Button";
import { CopyButton } from "@/ui/Copy";
import { Empty, Page } from "@/ui/Page";
import { Status, Tag } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { BulkProxies } from "./BulkProxies";
import { proxiesQuery, type Proxy } from "./queries";

const route = getRouteApi("/in/o/$clientId/proxies");

const COLUMNS: Column<Proxy>[] = [
  {
    id: "name",
    title: "Name",
    sort: "name",
    cell: (proxy) =>
      nameCell(
        proxy.proxyName,
        <Link to="/o/$clientId/proxies/$proxyId" params={proxy} className="hover:underline" />,
      ),
  },
  { id: "status", title: "Status", cell: (proxy) => <Status word={proxy.proxyStatus} /> },
  {
    id: "url",
    title: "Base URL",
    wide: true,
    cell: ({ proxyBaseURL: url }) =>
      url && (
        <span className="flex items-center gap-1">
          <code className="block max-w-56 truncate font-mono text-xs text-soft xl:max-w-sm">
            {url}
          </code>
          <CopyButton text={url} label="Copy the base URL" />
        </span>
      ),
  },
  { id: "region", title: "Region", wide: true, cell: (proxy) => <Tag>{proxy.proxyRegion}</Tag> },
  {
    id: "created",
    title: "Created",
    sort: "createdAt",
    wide: true,
    right: true,
    cell: (proxy) => <Time at={proxy.createdAt} />,
  },
];

export function ProxiesPage() {
  const { clientId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [ids, setIds] = useState<Set<string>>(new Set());
  const query = useQuery({ ...proxiesQuery(clientId, search), ...whileNext });
  const regions = useQuery(regionsQuery);
  const chosen = query.data?.data.filter((proxy) => ids.has(proxy.proxyId)) ?? [];
  const add = (
    <Link to="/o/$clientId/proxies/new" params={{ clientId }} className={buttonClass("primary")}>
      <Plus aria-hidden className="size-4" /> New proxy
    </Link>
  );
  return (
    <Page
      title="Proxies"
      about="What callers call: each binds callers' credentials, a target, and what the target is given."
      actions={add}
    >
      <ListFrame
        label="Proxies"
        query={query}
        columns={COLUMNS}
        idOf={(proxy) => proxy.proxyId}
        search={search}
        onSearch={(next) => void navigate({ search: next })}
        regions={regions.data?.data.map((region) => region.regionName)}
        byActive
        selection={{ ids, onChange: setIds }}
        bulk={<BulkProxies clientId={clientId} chosen={chosen} onDone={() => setIds(new Set())} />}
        empty={
          <Empty icon={Waypoints} title="No proxies yet" action={add}>
            A proxy gives your applications one address and one credential for an API, and keeps the
            API’s own credential to itself.
          </Empty>
        }
      />
    </Page>
  );
}
