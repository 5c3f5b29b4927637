import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Plus, Target as Icon } from "lucide-react";
import { useState } from "react";
import { regionsQuery } from "@/api/session";
import { nameCell } from "@/table/cells";
import type { Column } from "@/table/DataTable";
import { ListFrame, whileNext } from "@/table/ListFrame";
import { buttonClass } from "@/ui/Button";
import { Empty, Page } from "@/ui/Page";
import { Tag } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { BulkTargets } from "./BulkTargets";
import { HealthPill } from "./HealthPill";
import { targetsQuery, type Target } from "./queries";

const route = getRouteApi("/in/o/$clientId/targets");

const COLUMNS: Column<Target>[] = [
  {
    id: "name",
    title: "Name",
    sort: "name",
    cell: (target) =>
      nameCell(
        target.targetName,
        <Link to="/o/$clientId/targets/$targetId" params={target} className="hover:underline" />,
      ),
  },
  {
    id: "url",
    title: "Base URL",
    cell: (target) => (
      <code className="block max-w-sm truncate font-mono text-xs text-soft">
        {target.targetBaseURL}
      </code>
    ),
  },
  {
    id: "health",
    title: "Health",
    wide: true,
    cell: (target) => <HealthPill health={target.targetHealth} />,
  },
  { id: "region", title: "Region", wide: true, cell: (target) => <Tag>{target.targetRegion}</Tag> },
  {
    id: "created",
    title: "Created",
    sort: "createdAt",
    wide: true,
    right: true,
    cell: (target) => <Time at={target.createdAt} />,
  },
];

export function TargetsPage() {
  const { clientId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [ids, setIds] = useState<Set<string>>(new Set());
  const query = useQuery({ ...targetsQuery(clientId, search), ...whileNext });
  const regions = useQuery(regionsQuery);
  const add = (
    <Link to="/o/$clientId/targets/new" params={{ clientId }} className={buttonClass("primary")}>
      <Plus aria-hidden className="size-4" /> New target
    </Link>
  );
  return (
    <Page
      title="Targets"
      about="The APIs that your organisation calls. A proxy stands in front of one."
      actions={add}
    >
      <ListFrame
        label="Targets"
        query={query}
        columns={COLUMNS}
        idOf={(target) => target.targetId}
        search={search}
        onSearch={(next) => void navigate({ search: next })}
        regions={regions.data?.data.map((region) => region.regionName)}
        selection={{ ids, onChange: setIds }}
        bulk={
          <BulkTargets
            clientId={clientId}
            chosen={query.data?.data.filter((row) => ids.has(row.targetId)) ?? []}
            onDone={() => setIds(new Set())}
          />
        }
        empty={
          <Empty icon={Icon} title="No targets yet" action={add}>
            A target is where calls go: the base URL of an API, such as https://api.example.com/v1.
          </Empty>
        }
      />
    </Page>
  );
}
