import { Meter as Base } from "@base-ui/react/meter";
import { useQuery } from "@tanstack/react-query";
import { textOf } from "@/api/problem";
import { count } from "@/lib/numbers";
import { cx } from "@/ui/cx";
import { Skeleton } from "@/ui/Page";
import { Time } from "@/ui/Time";
import { meterUsageQuery, type Meter, type Place } from "./queries";

const NAMES = { minute: "This minute", hour: "This hour", day: "Today", month: "This month" };

/** Each window that is open, full at its limit; times are UTC's. */
export function Gauges({ place, meter }: { place: Place; meter: Meter }) {
  const query = useQuery(meterUsageQuery(place, meter.meterId));
  if (query.isError) return <p className="text-sm text-bad">{textOf(query.error)}</p>;
  if (!query.data) return <Skeleton className="h-24" />;
  return (
    <ul className="grid gap-4 sm:grid-cols-2">
      {query.data.windows.map(({ window, used, limit, end }) => {
        const most = limit ?? null;
        const full = most === null ? 0 : Math.min(1, used / most);
        return (
          <li key={window}>
            <Base.Root
              value={most === null ? 0 : Math.min(used, most)}
              max={most ?? 1}
              getAriaValueText={() => (most === null ? `${used}, no limit` : `${used} of ${most}`)}
            >
              <div className="mb-1 flex items-baseline justify-between gap-2 text-xs">
                <Base.Label className="text-soft">{NAMES[window]}</Base.Label>
                <span className="font-medium tabular">
                  {count(used)}
                  <span className="font-normal text-faint">
                    {most === null ? " · no limit" : ` of ${count(most)}`}
                  </span>
                </span>
              </div>
              <Base.Track className="h-1.5 overflow-hidden rounded-full bg-sunken">
                <Base.Indicator
                  className={cx(
                    "block rounded-full",
                    full >= 1 ? "bg-bad" : full >= 0.8 ? "bg-warn" : "bg-ok",
                  )}
                />
              </Base.Track>
            </Base.Root>
            <p className="mt-1 text-xs text-faint">
              {full >= 1 ? "Full: calls are refused. " : full >= 0.8 ? "Above 80 %. " : ""}
              Begins anew <Time at={end} />
            </p>
          </li>
        );
      })}
    </ul>
  );
}
