import { renderHook } from "@testing-library/react";
import { useForm } from "react-hook-form";
import { expect, test } from "vitest";
import { Problem } from "@/api/problem";
import { showProblems } from "./problems";

function refusal(...fields: string[]) {
  const details = fields.map((field) => ({ field, problem: `${field} is wrong` }));
  const body = { error: "bad", code: "VALIDATION_FAILED", details };
  return Problem.of(new Response(null, { status: 400 }), body);
}

function form() {
  const values = { targetName: "a", secret: { token: "" } };
  return renderHook(() => {
    const form = useForm({ defaultValues: values });
    return { form, errors: form.formState.errors };
  });
}

test("problems with a field are shown there and nowhere else", () => {
  const { result, rerender } = form();
  const left = showProblems(result.current.form, refusal("targetName", "secret.token"));
  rerender();
  expect(left).toBeUndefined();
  expect(result.current.errors.targetName?.message).toBe("TargetName is wrong.");
  expect(result.current.errors.secret?.token?.message).toBe("Secret.token is wrong.");
});

test("what no field shows is left for the form", () => {
  const { result } = form();
  const error = refusal("targetName", "other");
  expect(showProblems(result.current.form, error)).toBe(error);
  const gone = new Error("gone");
  expect(showProblems(result.current.form, gone)).toBe(gone);
});
