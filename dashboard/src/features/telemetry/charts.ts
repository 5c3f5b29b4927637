import type { ChartSpec } from "@/charts/series";
import { count, duration, share } from "@/lib/numbers";

/** The charts over time; two more show shares. */
export const CHARTS: ChartSpec[] = [
  {
    id: "volume",
    title: "Request volume",
    unit: count,
    bars: true,
    lines: [{ label: "Calls", colour: "--info", of: (point) => point.requests }],
  },
  {
    id: "time",
    title: "Response time",
    unit: duration,
    lines: [
      { label: "p50", colour: "--ok", of: (point) => point.p50ResponseTimeMs },
      { label: "p95", colour: "--info", of: (point) => point.p95ResponseTimeMs },
      { label: "p99", colour: "--accent", of: (point) => point.p99ResponseTimeMs },
    ],
  },
  {
    id: "errors",
    title: "Error volume",
    unit: count,
    bars: true,
    lines: [{ label: "Errors", colour: "--bad", of: (point) => point.errors }],
  },
  {
    id: "rate",
    title: "Error rate",
    unit: share,
    lines: [
      {
        label: "Errors of all calls",
        colour: "--bad",
        of: ({ successRate }) =>
          successRate === null || successRate === undefined ? null : 1 - successRate,
      },
    ],
  },
];

/** Of a series whose seconds were added up. */
export const SECONDS: ChartSpec = {
  id: "seconds",
  title: "Cumulative API seconds",
  unit: (value) => `${count(value)} s`,
  lines: [{ label: "Seconds", colour: "--accent", of: (point) => point.apiSeconds }],
};
