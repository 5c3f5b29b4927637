import { oneOf } from "@/table/search";

export const SPANS = [
  { value: "hour" as const, label: "Hours of two days" },
  { value: "day" as const, label: "Days of a month" },
  { value: "month" as const, label: "Months of a year" },
];
export const GROUPS = [
  { value: "none" as const, label: "All together" },
  { value: "proxy" as const, label: "By proxy" },
  { value: "credential" as const, label: "By credential" },
  { value: "meter" as const, label: "By meter" },
  { value: "region" as const, label: "By region" },
];

type Interval = (typeof SPANS)[number]["value"];
type Group = (typeof GROUPS)[number]["value"];

/** What usage is looked at, as the page's address keeps it. */
export interface UsageSearch {
  span?: Interval;
  groupBy?: Group;
}

export function usageSearch(raw: Record<string, unknown>): UsageSearch {
  return {
    span: oneOf(
      raw.span,
      SPANS.map(({ value }) => value),
    ),
    groupBy: oneOf(
      raw.groupBy,
      GROUPS.map(({ value }) => value),
    ),
  };
}

const HOURS: Record<Interval, number> = { hour: 48, day: 31 * 24, month: 365 * 24 };

/** As the API asks for it. */
export function spanOf({ span: interval = "day", groupBy }: UsageSearch, nowMs: number) {
  return {
    interval,
    groupBy: groupBy === "none" ? undefined : groupBy,
    from: new Date(nowMs - HOURS[interval] * 3_600_000).toISOString(),
    to: new Date(nowMs).toISOString(),
  };
}
