/** Numbers as people read them. */

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function count(value: number): string {
  return value < 100_000 ? WHOLE.format(value) : SHORT.format(value);
}

/** `0.4 ms`, `38 ms`, `1.25 s`. */
export function duration(ms: number): string {
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`;
  return `${ms >= 10 ? WHOLE.format(ms) : ms.toFixed(1)} ms`;
}

/** A share as a percentage that never rounds a failure away. */
export function share(value: number): string {
  if (value === 1 || value === 0) return `${value * 100} %`;
  const text = Math.min(value * 100, 99.99).toFixed(2);
  return `${text} %`;
}

export function bytes(value: number): string {
  const step = value === 0 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10));
  const amount = value / 1024 ** step;
  return `${step === 0 ? value : amount.toFixed(1)} ${UNITS[step] ?? "B"}`;
}

/** How much more or less than before, such as `+12 %`; nothing without a before. */
export function change(now: number, before: number): string | undefined {
  if (before === 0) return undefined;
  const percent = Math.round((now / before - 1) * 100);
  return percent > 0 ? `+${percent} %` : percent < 0 ? `−${-percent} %` : "no change";
}
