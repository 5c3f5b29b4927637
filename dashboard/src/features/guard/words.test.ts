import { expect, test } from "vitest";
import { wordsOf } from "./words";

test("conditions are said in a line", () => {
  expect(wordsOf({})).toBe("");
  expect(
    wordsOf({
      methods: ["GET", "PUT"],
      path: { pattern: "^/v1", presence: "absent" },
      headers: [{ name: { pattern: "^x-a$" }, value: { pattern: "1" } }],
      body: [{ path: "$.model", presence: "absent" }],
    }),
  ).toBe("GET, PUT · no path ~ ^/v1 · header ^x-a$ ~ 1 · no body $.model");
});
