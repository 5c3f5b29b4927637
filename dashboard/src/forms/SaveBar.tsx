import type { FieldValues, UseFormReturn } from "react-hook-form";
import { Button } from "@/ui/Button";
import { Refusal } from "@/ui/Notice";
import { UnsavedGuard } from "./UnsavedGuard";

/** The end of a form that changes what is there. */
export function SaveBar<T extends FieldValues>({
  form,
  error,
}: {
  form: UseFormReturn<T>;
  error: unknown;
}) {
  const { isDirty, isSubmitting } = form.formState;
  return (
    <>
      <Refusal error={error} />
      <div className="flex items-center justify-end gap-2">
        {isDirty && <span className="mr-auto text-xs text-soft">Not saved yet</span>}
        <Button disabled={!isDirty} onClick={() => form.reset()}>
          Undo
        </Button>
        <Button
          kind="primary"
          type="submit"
          busy={isSubmitting}
          disabled={!isDirty || isSubmitting}
        >
          Save
        </Button>
      </div>
      <UnsavedGuard dirty={isDirty} />
    </>
  );
}
