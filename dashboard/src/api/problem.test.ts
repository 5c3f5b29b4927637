import { expect, test } from "vitest";
import { Problem, sentence, textOf } from "./problem";

test("an error of the API keeps its words, fields and request id", () => {
  const response = new Response(null, {
    status: 400,
    headers: { "requestrocket-request-id": "r-1" },
  });
  const details = [{ field: "targetName", problem: "must not be empty" }];
  const problem = Problem.of(response, { error: "bad", code: "VALIDATION_FAILED", details });
  expect(problem).toMatchObject({ status: 400, code: "VALIDATION_FAILED", requestId: "r-1" });
  expect(problem.details).toEqual(details);
  expect(textOf(problem)).toBe("Bad.");
});

test("what is no error of the API says its status", () => {
  expect(Problem.of(new Response(null, { status: 502 }), "<html>").message).toContain("502");
  expect(textOf(null)).toBe("Something went wrong.");
});

test("only a missing session counts as signed out", () => {
  const body = (code: string) => ({ error: "x", code, details: [] });
  const of = (status: number, code: string) =>
    Problem.of(new Response(null, { status }), body(code)).isSignedOut;
  expect(of(401, "UNAUTHENTICATED")).toBe(true);
  expect(of(403, "FORBIDDEN")).toBe(false);
});

test("sentences begin large and end", () => {
  expect(["a b", "A.", "why?"].map(sentence)).toEqual(["A b.", "A.", "Why?"]);
});
