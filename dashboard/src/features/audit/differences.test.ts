import { expect, test } from "vitest";
import { differences } from "./differences";

test("only what differs is shown, also of what was made or deleted", () => {
  const row = (member: string, before?: string, after?: string) => ({ member, before, after });
  expect(differences({ a: 1, b: "x" }, { a: 2, b: "x", c: null })).toEqual([
    row("a", "1", "2"),
    row("c", undefined, "null"),
  ]);
  expect(differences(null, { name: "n" })).toEqual([row("name", undefined, "n")]);
  expect(differences({ name: "n" }, undefined)).toEqual([row("name", "n", undefined)]);
});
