import { expect, test } from "vitest";
import { before, spanOf, timeSearch } from "./search";

const NOW = Date.parse("2026-01-31T12:00:30Z");

test("a range ends with this minute, and what was before it is as long", () => {
  const span = spanOf({ range: "1h" }, NOW);
  expect(span).toEqual({ from: "2026-01-31T11:01:00.000Z", to: "2026-01-31T12:01:00.000Z" });
  expect(before(span)).toEqual({ from: "2026-01-31T10:01:00.000Z", to: span.from });
});

test("what was zoomed into wins, and nonsense counts for nothing", () => {
  const from = "2026-01-01T00:00:00.000Z";
  const to = "2026-01-02T00:00:00.000Z";
  expect(spanOf(timeSearch({ range: "7d", from, to }), NOW)).toEqual({ from, to });
  expect(timeSearch({ range: "1y", from: "yesterday", auto: 1 })).toEqual({});
});
