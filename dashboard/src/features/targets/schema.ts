import { name, z } from "@/forms/z";
import type { Target } from "./queries";

export const targetSchema = z.object({
  targetName: name,
  targetBaseURL: z
    .string()
    .check(
      z.trim(),
      z.regex(/^https?:\/\/[^/?#@\s]+(\/[^?#\s]*)?$/i, "An http or https URL without query."),
    ),
  targetTestPath: z.nullable(
    z.string().check(z.trim(), z.regex(/^(\/.*)?$/, "Begins with a slash.")),
  ),
  targetCheckSeconds: z.nullable(z.int()),
  targetRegion: z.string().check(z.minLength(1, "Choose a region.")),
  targetDefaultRuleEffect: z.enum(["allow", "deny"]),
});

export type TargetForm = z.infer<typeof targetSchema>;

export const TARGET_LABELS: Record<keyof TargetForm, string> = {
  targetName: "Name",
  targetBaseURL: "Base URL",
  targetTestPath: "Test path",
  targetCheckSeconds: "Checked",
  targetRegion: "Region",
  targetDefaultRuleEffect: "Without a matching rule",
};

export function formOf(target: Target): TargetForm {
  return {
    targetName: target.targetName,
    targetBaseURL: target.targetBaseURL,
    targetTestPath: target.targetTestPath ?? null,
    targetCheckSeconds: target.targetCheckSeconds ?? null,
    targetRegion: target.targetRegion,
    targetDefaultRuleEffect: target.targetDefaultRuleEffect,
  };
}

/** An empty path is none. */
export function bodyOf(form: TargetForm): TargetForm {
  return { ...form, targetTestPath: form.targetTestPath === "" ? null : form.targetTestPath };
}
