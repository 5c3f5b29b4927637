import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ChartColumn } from "lucide-react";
import { useMemo, useState } from "react";
import { api, take, type Schemas } from "@/api/client";
import { count } from "@/lib/numbers";
import { utc } from "@/lib/time";
import { DataTable, type Column } from "@/table/DataTable";
import { Empty, Failed, Page, Skeleton } from "@/ui/Page";
import { Select } from "@/ui/Select";
import { Pill } from "@/ui/Status";
import { GROUPS, SPANS, spanOf, type UsageSearch } from "./search";

type Row = Schemas["UsageRow"];

const route = getRouteApi("/in/o/$clientId/usage");

const COLUMNS: Column<Row>[] = [
  { id: "start", title: "From", cell: (row) => <time dateTime={row.start}>{utc(row.start)}</time> },
  {
    id: "key",
    title: "Of",
    cell: (row) => <span className="font-mono text-xs">{row.key ?? "all"}</span>,
  },
  { id: "admitted", title: "Admitted", right: true, cell: (row) => count(row.admitted) },
  { id: "refused", title: "Refused", right: true, cell: (row) => count(row.refused) },
  { id: "values", title: "Metered", right: true, wide: true, cell: (row) => count(row.values) },
  {
    id: "uncertain",
    title: "",
    wide: true,
    cell: (row) => row.uncertain && <Pill tone="warn">Uncertain</Pill>,
  },
];

/** What was let through, to the call. */
export function UsagePage() {
  const { clientId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [nowMs] = useState(() => Date.now());
  const asked = useMemo(() => spanOf(search, nowMs), [search, nowMs]);
  const query = useQuery({
    queryKey: ["organisation", clientId, "usage", asked],
    queryFn: ({ signal }) => {
      const params = { path: { clientId }, query: asked };
      return take(api.GET("/clients/{clientId}/usage", { params, signal }));
    },
  });
  const go = (next: UsageSearch) => void navigate({ search: next });
  return (
    <Page
      title="Usage"
      about="From the counters that limits go by: equal to what was admitted, to the call."
    >
      <div className="overflow-hidden rounded-lg border border-line bg-surface">
        <div className="flex flex-wrap gap-2 border-b border-line px-4 py-2">
          <Select
            small
            label="Time"
            className="w-44"
            options={SPANS}
            value={search.span ?? "day"}
            onChange={(span) => go({ ...search, span })}
          />
          <Select
            small
            label="Grouped by"
            className="w-40"
            options={GROUPS}
            value={search.groupBy ?? "none"}
            onChange={(groupBy) => go({ ...search, groupBy })}
          />
        </div>
        {query.isError ? (
          <Failed error={query.error} retry={() => void query.refetch()} />
        ) : !query.data ? (
          <Skeleton className="m-4 h-48" />
        ) : query.data.rows.length === 0 ? (
          <Empty icon={ChartColumn} title="Nothing was used">
            No call was admitted or refused in this time.
          </Empty>
        ) : (
          <DataTable
            label="Usage"
            rows={query.data.rows}
            columns={COLUMNS}
            idOf={(row) => `${row.start} ${row.key ?? ""}`}
          />
        )}
      </div>
    </Page>
  );
}
