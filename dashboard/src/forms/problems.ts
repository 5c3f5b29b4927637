import type { FieldPath, FieldValues, UseFormReturn } from "react-hook-form";
import { Problem, sentence } from "@/api/problem";

/**
 * Puts what the API says about members beside their fields. Answers what is left to be said above
 * the form: nothing if every problem has a field.
 */
export function showProblems<T extends FieldValues>(
  form: UseFormReturn<T>,
  error: unknown,
  fieldOf: (member: string) => string = (member) => member,
): unknown {
  if (!(error instanceof Problem) || error.details.length === 0) return error;
  const known = form.getValues();
  let isShown = true;
  for (const { field, problem } of error.details) {
    const name = fieldOf(field);
    const root = name.split(/[.[]/)[0] ?? "";
    if (root in known) form.setError(name as FieldPath<T>, { message: sentence(problem) });
    else isShown = false;
  }
  return isShown ? undefined : error;
}
