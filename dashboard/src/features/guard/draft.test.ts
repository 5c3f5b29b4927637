import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { against, useDraft } from "./draft";

interface Sample {
  effect: string;
  notes?: string;
}

test("form and JSON are kept in step, and bad JSON changes nothing", () => {
  const { result } = renderHook(() => useDraft<Sample>({ effect: "allow", notes: "" }));
  expect(JSON.parse(result.current.text)).toEqual({ effect: "allow" });
  act(() => result.current.set({ effect: "deny", notes: "x" }));
  expect(JSON.parse(result.current.text)).toEqual({ effect: "deny", notes: "x" });
  act(() => result.current.write('{"effect": "allow"}'));
  expect(result.current.value).toEqual({ effect: "allow" });
  act(() => result.current.write('{"effect": '));
  expect(result.current.value).toEqual({ effect: "allow" });
  expect(result.current.problem).toBeTruthy();
  act(() => result.current.write("[]"));
  expect(result.current.problem).toContain("object");
});

test("against a newer version stands what differs, and what is not there any more", () => {
  const theirs = { priority: 5, notes: "new", methods: ["GET"], path: null };
  expect(against(theirs, { ...theirs })).toEqual({});
  expect(against<object>(theirs, { priority: 7, notes: "new", path: null })).toEqual({
    methods: undefined,
    priority: 7,
  });
});
