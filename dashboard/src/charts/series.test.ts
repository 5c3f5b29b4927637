import { expect, test } from "vitest";
import { columnsOf, csvOf, cumulated, quoted, type Line, type Point } from "./series";

const point = (start: string, requests: number, p50: number | null) =>
  ({ start, requests, apiSeconds: requests / 10, p50ResponseTimeMs: p50 }) as Point;
const series = [
  point("2026-01-31T00:00:00.000Z", 10, 3),
  point("2026-01-31T01:00:00.000Z", 0, null),
];
const lines: Line[] = [
  { label: "Calls", colour: "", of: (one) => one.requests },
  { label: "p50", colour: "", of: (one) => one.p50ResponseTimeMs },
];

test("an interval without calls has a count and no percentile", () => {
  const columns = columnsOf(series, lines);
  expect(columns.values).toEqual([
    [10, 0],
    [3, null],
  ]);
  expect(csvOf(columns, lines).split("\r\n")).toEqual([
    '"time","Calls","p50"',
    "2026-01-31T00:00:00.000Z,10,3",
    "2026-01-31T01:00:00.000Z,0,",
  ]);
});

test("cumulated seconds only grow", () => {
  const sums = cumulated([...series, ...series.slice(0, 1)], (one) => one.apiSeconds).map(
    (one) => one.apiSeconds,
  );
  expect(sums).toEqual([1, 1, 2]);
});

test("no cell is a formula", () => {
  expect(quoted('=cmd|"/c"')).toBe(`"'=cmd|""/c"""`);
});
