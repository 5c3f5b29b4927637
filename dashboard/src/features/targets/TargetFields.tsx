import { Controller, type UseFormReturn } from "react-hook-form";
import { EffectField } from "@/forms/EffectField";
import { RegionField } from "@/forms/RegionField";
import { Field, Input } from "@/ui/Field";
import { Select } from "@/ui/Select";
import { TARGET_LABELS as LABELS, type TargetForm } from "./schema";

const CHECKS = [
  { value: "0", label: "Only when asked" },
  { value: "60", label: "Every minute" },
  { value: "300", label: "Every 5 minutes" },
  { value: "3600", label: "Every hour" },
  { value: "86400", label: "Every day" },
];

/** With the time that is set, whatever it is. */
function checksWith(seconds: number | null) {
  const value = String(seconds ?? 0);
  const isKnown = CHECKS.some((check) => check.value === value);
  return isKnown ? CHECKS : [...CHECKS, { value, label: `Every ${value} seconds` }];
}

/** The members of a target; `fixed`: it is there already, so its region stays. */
export function TargetFields({
  form,
  fixed,
}: {
  form: UseFormReturn<TargetForm>;
  fixed?: boolean;
}) {
  const { errors } = form.formState;
  return (
    <>
      <Field label={LABELS.targetName} error={errors.targetName?.message}>
        <Input autoComplete="off" {...form.register("targetName")} />
      </Field>
      <Field
        label={LABELS.targetBaseURL}
        error={errors.targetBaseURL?.message}
        help="Where calls go. What a caller writes behind the proxy's address is appended to it."
      >
        <Input
          mono
          inputMode="url"
          autoComplete="off"
          placeholder="https://api.example.com/v1"
          {...form.register("targetBaseURL")}
        />
      </Field>
      <RegionField form={form} name="targetRegion" fixed={fixed} />
      <Field
        optional
        label={LABELS.targetTestPath}
        error={errors.targetTestPath?.message}
        help="What is asked for to see whether the target answers."
      >
        <Input mono autoComplete="off" placeholder="/health" {...form.register("targetTestPath")} />
      </Field>
      <Controller
        control={form.control}
        name="targetCheckSeconds"
        render={({ field, fieldState }) => (
          <Field
            label={LABELS.targetCheckSeconds}
            error={fieldState.error?.message}
            help="The region asks by itself, and you are told when it stops answering."
          >
            <Select
              options={checksWith(field.value)}
              value={String(field.value ?? 0)}
              onChange={(seconds) => field.onChange(Number(seconds) || null)}
            />
          </Field>
        )}
      />
      <Controller
        control={form.control}
        name="targetDefaultRuleEffect"
        render={({ field }) => <EffectField value={field.value} onChange={field.onChange} />}
      />
    </>
  );
}
