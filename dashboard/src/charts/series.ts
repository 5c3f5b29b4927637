/** Telemetry as charts take it: columns of numbers, times in seconds. */
import type { Schemas } from "@/api/client";

export type Telemetry = Schemas["TelemetryResource"];
export type Point = Telemetry["series"][number];

export interface Line {
  label: string;
  /** A variable of the theme. */
  colour: string;
  of: (point: Point) => number | null | undefined;
}

export interface ChartSpec {
  id: string;
  title: string;
  lines: Line[];
  unit: (value: number) => string;
  bars?: boolean;
}

export interface Columns {
  times: number[];
  values: (number | null)[][];
}

export function columnsOf(series: Point[], lines: Line[]): Columns {
  return {
    times: series.map((point) => Date.parse(point.start) / 1000),
    values: lines.map((line) => series.map((point) => line.of(point) ?? null)),
  };
}

/** Each value with all before it. */
export function cumulated(series: Point[], of: (point: Point) => number): Point[] {
  let sum = 0;
  return series.map((point) => {
    sum += of(point);
    return { ...point, apiSeconds: sum };
  });
}

/** As spreadsheets read it; a text is never taken for a formula. */
export function csvOf(columns: Columns, lines: Line[]): string {
  const head = ["time", ...lines.map((line) => line.label)].map(quoted);
  const rows = columns.times.map((time, index) => [
    new Date(time * 1000).toISOString(),
    ...columns.values.map((column) => String(column[index] ?? "")),
  ]);
  return [head, ...rows].map((row) => row.join(",")).join("\r\n");
}

export function quoted(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
