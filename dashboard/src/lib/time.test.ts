import { expect, test } from "vitest";
import { ago, utc } from "./time";

test("distances are said in the largest unit that fits", () => {
  const now = Date.parse("2026-01-31T12:00:00Z");
  for (const [at, words] of [
    ["2026-01-31T11:59:31Z", "just now"],
    ["2026-01-31T11:58:00Z", "2 minutes ago"],
    ["2026-01-31T09:00:00Z", "3 hours ago"],
    ["2026-01-30T12:00:00Z", "yesterday"],
    ["2026-02-02T12:00:00Z", "in 2 days"],
    ["2024-01-01T00:00:00Z", "2 years ago"],
  ] as const) {
    expect(ago(at, now), at).toBe(words);
  }
});

test("UTC is UTC", () => {
  expect(utc("2026-01-31T13:00:00.250+02:00")).toBe("2026-01-31 11:00:00 UTC");
});
