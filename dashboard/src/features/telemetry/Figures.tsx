import type { Schemas } from "@/api/client";
import { change, count, duration, share } from "@/lib/numbers";

type Totals = Schemas["TelemetryTotals"];

/** The four figures, each beside what it was before. */
export function Figures({ now, then }: { now: Totals; then: Totals | undefined }) {
  const success = now.successRate;
  const time = now.averageResponseTimeMs;
  const figures = [
    {
      name: "Total requests",
      value: count(now.requests),
      was: then && change(now.requests, then.requests),
    },
    {
      name: "Total errors",
      value: count(now.errors),
      was: then && change(now.errors, then.errors),
    },
    {
      name: "Success rate",
      value: success === null || success === undefined ? "–" : share(success),
      was:
        then?.successRate === null || then?.successRate === undefined
          ? undefined
          : `was ${share(then.successRate)}`,
    },
    {
      name: "Avg response time",
      value: time === null || time === undefined ? "–" : duration(time),
      was:
        time !== null && time !== undefined && then?.averageResponseTimeMs
          ? change(time, then.averageResponseTimeMs)
          : undefined,
    },
  ];
  return (
    <dl className="grid gap-3 sm:grid-cols-2 xl:grid-cols-4">
      {figures.map(({ name, value, was }) => (
        <div key={name} className="rounded-lg border border-line bg-surface p-4">
          <dt className="text-sm text-soft">{name}</dt>
          <dd className="mt-1 text-2xl font-semibold tracking-tight tabular">{value}</dd>
          <dd className="mt-0.5 h-4 text-xs text-faint tabular">
            {was ? `${was}${was.startsWith("was") ? " before" : " to the period before"}` : ""}
          </dd>
        </div>
      ))}
    </dl>
  );
}
