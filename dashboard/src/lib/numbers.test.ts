import { expect, test } from "vitest";
import { bytes, change, count, duration, share } from "./numbers";

test("numbers keep what matters and no more", () => {
  expect([0, 12, 12_345, 1_234_567].map(count)).toEqual(["0", "12", "12,345", "1.2M"]);
  expect([0.42, 38.4, 999.6, 1_250].map(duration)).toEqual([
    "0.4 ms",
    "38 ms",
    "1,000 ms",
    "1.25 s",
  ]);
  expect([0, 512, 1_536, 5 * 1024 ** 3].map(bytes)).toEqual(["0 B", "512 B", "1.5 KiB", "5.0 GiB"]);
});

test("one failure in a million is not all right", () => {
  expect([1, 0.999_999, 0.5, 0].map(share)).toEqual(["100 %", "99.99 %", "50.00 %", "0 %"]);
});

test("change needs something to compare with", () => {
  expect(change(5, 0)).toBeUndefined();
  expect([change(150, 100), change(50, 100), change(3, 3)]).toEqual([
    "+50 %",
    "−50 %",
    "no change",
  ]);
});
