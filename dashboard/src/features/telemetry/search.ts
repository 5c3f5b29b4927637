import { oneOf, textOf } from "@/table/search";

/** A part of time, as the page's address keeps it: the last of something, or from and to. */
export interface TimeSearch {
  range?: Range;
  from?: string;
  to?: string;
  auto?: boolean;
}

export const RANGES = ["1h", "24h", "7d", "30d"] as const;
export type Range = (typeof RANGES)[number];

export const RANGE_LABELS: Record<Range, string> = {
  "1h": "Last hour",
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
};

const HOUR = 3_600_000;
const LENGTHS: Record<Range, number> = {
  "1h": HOUR,
  "24h": 24 * HOUR,
  "7d": 7 * 24 * HOUR,
  "30d": 30 * 24 * HOUR,
};

export function timeSearch(raw: Record<string, unknown>): TimeSearch {
  const moment = (value: unknown) => {
    const text = textOf(value);
    return text !== undefined && !Number.isNaN(Date.parse(text)) ? text : undefined;
  };
  return {
    range: oneOf(raw.range, RANGES),
    from: moment(raw.from),
    to: moment(raw.to),
    auto: raw.auto === true ? true : undefined,
  };
}

export interface Span {
  from: string;
  to: string;
}

/** The time that is looked at; `nowMs` is rounded to the minute, so that asking again is the same. */
export function spanOf({ range = "24h", from, to }: TimeSearch, nowMs: number): Span {
  if (from !== undefined && to !== undefined) return { from, to };
  const end = Math.ceil(nowMs / 60_000) * 60_000;
  return { from: iso(end - LENGTHS[range]), to: iso(end) };
}

/** As long as that, just before. */
export function before({ from, to }: Span): Span {
  const start = Date.parse(from);
  return { from: iso(start - (Date.parse(to) - start)), to: from };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
