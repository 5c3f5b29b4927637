import { Controller, type UseFormReturn } from "react-hook-form";
import { EffectField } from "@/forms/EffectField";
import { RegionField } from "@/forms/RegionField";
import { Field, Input } from "@/ui/Field";
import { TARGET_LABELS as LABELS, type TargetForm } from "./schema";

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
        name="targetDefaultRuleEffect"
        render={({ field }) => <EffectField value={field.value} onChange={field.onChange} />}
      />
    </>
  );
}
