import { useQuery } from "@tanstack/react-query";
import { RefreshCw } from "lucide-react";
import { useMemo, useState } from "react";
import { columnsOf, cumulated, type ChartSpec, type Telemetry } from "@/charts/series";
import { Shares } from "@/charts/Shares";
import { Button } from "@/ui/Button";
import { Checkbox } from "@/ui/Checkbox";
import { Notice } from "@/ui/Notice";
import { Card, Failed, Skeleton } from "@/ui/Page";
import { Select } from "@/ui/Select";
import { cx } from "@/ui/cx";
import { ChartCard } from "./ChartCard";
import { CHARTS, SECONDS } from "./charts";
import { Figures } from "./Figures";
import { telemetryQuery, type Subject } from "./queries";
import { before, RANGE_LABELS, RANGES, spanOf, type Range, type TimeSearch } from "./search";

interface PerformanceProps {
  subject: Subject;
  search: TimeSearch;
  onSearch: (next: TimeSearch) => void;
}

/** Figures and charts of what passed. */
export function Performance({ subject, search, onSearch }: PerformanceProps) {
  const [nowMs, setNow] = useState(() => Date.now());
  const span = spanOf(search, nowMs);
  const every = search.auto ? 15_000 : false;
  const now = useQuery({ ...telemetryQuery(subject, span), refetchInterval: every });
  const then = useQuery(telemetryQuery(subject, before(span)));
  const isZoomed = search.from !== undefined;
  const refresh = () => {
    setNow(Date.now());
    void now.refetch();
  };
  return (
    <div className="flex flex-col gap-5">
      <div className="flex flex-wrap items-center gap-2">
        <Select<Range | "zoom">
          small
          label="Time"
          className="w-40"
          value={isZoomed ? "zoom" : (search.range ?? "24h")}
          options={[
            ...RANGES.map((value) => ({ value, label: RANGE_LABELS[value] })),
            ...(isZoomed ? [{ value: "zoom" as const, label: "What you dragged over" }] : []),
          ]}
          onChange={(range) => {
            if (range !== "zoom") onSearch({ range, auto: search.auto });
          }}
        />
        {isZoomed && (
          <Button small kind="quiet" onClick={() => onSearch({ range: search.range })}>
            Zoom out
          </Button>
        )}
        <div className="ml-auto flex items-center gap-3">
          <Checkbox
            label="Refresh by itself"
            checked={search.auto ?? false}
            onChange={(on) => onSearch({ ...search, auto: on ? true : undefined })}
          />
          <Button small onClick={refresh} aria-busy={now.isFetching}>
            <RefreshCw aria-hidden className={cx("size-3.5", now.isFetching && "animate-spin")} />{" "}
            Refresh
          </Button>
        </div>
      </div>
      {now.isError ? (
        <Failed error={now.error} retry={refresh} />
      ) : !now.data ? (
        <Skeleton className="h-96" />
      ) : (
        <Charts
          telemetry={now.data}
          earlier={then.data}
          onZoom={(from, to) => {
            const at = (seconds: number) => new Date(seconds * 1000).toISOString();
            onSearch({ ...search, from: at(from), to: at(to), auto: undefined });
          }}
        />
      )}
    </div>
  );
}

interface ChartsProps {
  telemetry: Telemetry;
  earlier: Telemetry | undefined;
  onZoom: (from: number, to: number) => void;
}

function Charts({ telemetry, earlier, onZoom }: ChartsProps) {
  const { series, completeness, unavailableRegions = [] } = telemetry;
  const whole = completeness.recorded + completeness.lost;
  const seconds = useMemo(() => cumulated(series, (point) => point.apiSeconds), [series]);
  const card = (spec: ChartSpec, points: typeof series) => (
    <ChartCard key={spec.id} spec={spec} columns={columnsOf(points, spec.lines)} onZoom={onZoom} />
  );
  return (
    <>
      {completeness.lost > 0 && (
        <Notice tone="warn">
          {((completeness.recorded / whole) * 100).toFixed(2)} % of the calls of this time are
          known.
        </Notice>
      )}
      {unavailableRegions.length > 0 && (
        <Notice tone="warn">Not counted, as they are away: {unavailableRegions.join(", ")}.</Notice>
      )}
      <Figures now={telemetry.totals} then={earlier?.totals} />
      <div className="grid gap-5 xl:grid-cols-2">
        {CHARTS.map((spec) => card(spec, series))}
        {card(SECONDS, seconds)}
        <Card title="Top API response codes">
          <Shares
            empty="No calls in this time."
            shares={telemetry.responseCodes.map(({ status, requests }) => ({
              name: status === null || status === undefined ? "caller went" : String(status),
              value: requests,
              bad: (status ?? 0) >= 400 ? requests : 0,
            }))}
          />
        </Card>
        <Card title="Authentication methods">
          <Shares
            empty="No calls in this time."
            shares={telemetry.authMethods.map(({ authType, requests, denied }) => ({
              name: authType ?? "none that is right",
              value: requests,
              bad: denied,
            }))}
          />
          <p className="mt-3 text-xs text-soft">The red part of each, from the left, was denied.</p>
        </Card>
      </div>
    </>
  );
}
