/** Moments as people read them; all take RFC 3339 and speak of the user's own zone. */

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const LOCAL = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

/** `3 minutes ago`, or `in 2 days`; within a minute `just now`. */
export function ago(at: string, nowMs: number): string {
  const seconds = (Date.parse(at) - nowMs) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return RELATIVE.format(Math.trunc(seconds / size), unit);
  }
  return "just now";
}

export function local(at: string): string {
  return LOCAL.format(Date.parse(at));
}

export function utc(at: string): string {
  return `${new Date(at).toISOString().replace("T", " ").slice(0, 19)} UTC`;
}

export function isPast(at: string): boolean {
  return Date.parse(at) < Date.now();
}

export function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString();
}
