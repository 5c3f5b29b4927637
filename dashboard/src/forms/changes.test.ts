import { expect, test } from "vitest";
import { changes } from "./changes";

test("a patch names what changed and nothing else", () => {
  const before = { name: "a", list: [1, 2], map: { x: 1, y: 2 }, none: null as string | null };
  expect(changes(before, { ...before, map: { y: 2, x: 1 } })).toEqual({});
  expect(changes(before, { ...before, name: "b", list: [2, 1] })).toEqual({
    name: "b",
    list: [2, 1],
  });
  expect(changes({ ...before, none: "z" }, before)).toEqual({ none: null });
});
