import { expect, test } from "vitest";
import { merged } from "./merge";

const at = (second: number) => ({
  notificationId: `n-${second}`,
  createdAt: `2026-01-01T00:00:${String(second).padStart(2, "0")}.000Z`,
});
const seconds = (rows: { notificationId: string }[]) =>
  rows.map(({ notificationId }) => Number(notificationId.slice(2)));

test("lists that are complete are one, newest first, each row once", () => {
  const lists = [
    { rows: [at(9), at(3)], hasMore: false },
    { rows: [at(7), at(3)], hasMore: false },
  ];
  const { rows, behind, hasMore } = merged(lists);
  expect(seconds(rows)).toEqual([9, 7, 3]);
  expect([behind, hasMore]).toEqual([[], false]);
});

test("what may have something newer above it waits for that", () => {
  const lists = [
    { rows: [at(9), at(8)], hasMore: true },
    { rows: [at(7), at(5)], hasMore: true },
    { rows: [at(6), at(1)], hasMore: false },
  ];
  const { rows, behind, hasMore } = merged(lists);
  expect(seconds(rows)).toEqual([9, 8]);
  expect([behind, hasMore]).toEqual([[0], true]);
});

test("nothing is nothing", () => {
  expect(merged([])).toEqual({ rows: [], behind: [], hasMore: false });
});
