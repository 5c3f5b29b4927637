import { useQueries, useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { regionsQuery } from "@/api/session";
import { count } from "@/lib/numbers";
import { Card, Failed, Skeleton } from "@/ui/Page";
import { Pill, Tag } from "@/ui/Status";
import { trafficQuery } from "./queries";

// Its data come behind what the page is made of.
const WorldMap = lazy(async () => ({ default: (await import("./WorldMap")).WorldMap }));

/** Regions on the map and by name: a region whose name says no place is in the list only. */
export function RegionsCard({ clientId }: { clientId: string }) {
  const { data, error, refetch } = useQuery(regionsQuery);
  const regions = data?.data ?? [];
  const traffic = useQueries({
    queries: regions.map(({ regionName }) => trafficQuery(clientId, regionName)),
  });
  const calls = new Map(
    regions.map(({ regionName }, index) => [regionName, traffic[index]?.data ?? 0]),
  );
  return (
    <Card title="Regions">
      <div className="grid items-center gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <div className="aspect-960/440">
          <Suspense>{data && <WorldMap regions={regions} calls={calls} />}</Suspense>
        </div>
        {error ? (
          <Failed error={error} retry={() => void refetch()} />
        ) : !data ? (
          <Skeleton className="h-10" />
        ) : (
          <ul className="flex max-h-80 flex-col divide-y divide-line self-start overflow-y-auto">
            {regions.map((region) => (
              <li
                key={region.regionName}
                className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2 text-sm first:pt-0 last:pb-0"
              >
                <Tag>{region.regionName}</Tag>
                <span className="min-w-24 flex-1 text-xs text-soft tabular">
                  {calledOf(calls.get(region.regionName) ?? 0)} in an hour ·{" "}
                  {region.envoys === 1 ? "1 Envoy" : `${region.envoys} Envoys`}
                </span>
                <Pill tone={region.regionConnected ? "ok" : "bad"}>
                  {region.regionConnected ? "Connected" : "Away"}
                </Pill>
                <code className="w-full truncate font-mono text-xs text-soft">
                  {region.regionBaseURL ?? "has not connected yet"}
                </code>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Card>
  );
}

function calledOf(calls: number): string {
  return calls === 1 ? "1 call" : `${count(calls)} calls`;
}
