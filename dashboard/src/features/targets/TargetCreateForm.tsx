import { zodResolver } from "@hookform/resolvers/zod";
import { useState, type ReactNode } from "react";
import { useForm } from "react-hook-form";
import { showProblems } from "@/forms/problems";
import { onceKey } from "@/lib/links";
import { Button } from "@/ui/Button";
import { Refusal } from "@/ui/Notice";
import { useTargetWrites, type Target } from "./queries";
import { bodyOf, targetSchema, type TargetForm } from "./schema";
import { TargetFields } from "./TargetFields";

interface TargetCreateFormProps {
  clientId: string;
  region?: string;
  onMade: (target: Target) => void;
  onCancel: () => void;
  /** Told whether something was written. */
  guard?: (dirty: boolean) => ReactNode;
}

export function TargetCreateForm(props: TargetCreateFormProps) {
  const { clientId, region, onMade, onCancel, guard } = props;
  const [error, setError] = useState<unknown>();
  const [key] = useState(onceKey);
  const { create } = useTargetWrites(clientId);
  const form = useForm<TargetForm>({
    resolver: zodResolver(targetSchema),
    defaultValues: {
      targetName: "",
      targetBaseURL: "",
      targetTestPath: "",
      targetCheckSeconds: null,
      targetRegion: region ?? "",
      targetDefaultRuleEffect: "allow",
    },
  });
  const { isSubmitting, isDirty, isSubmitSuccessful } = form.formState;
  const submit = form.handleSubmit(async (values) => {
    try {
      onMade(await create(bodyOf(values), key));
    } catch (cause) {
      setError(showProblems(form, cause));
    }
  });
  return (
    <form
      noValidate
      onSubmit={(event) => {
        // Forms open over other forms: each sends itself only.
        event.stopPropagation();
        void submit(event);
      }}
      className="flex flex-col gap-5"
    >
      <TargetFields form={form} fixed={region !== undefined} />
      <Refusal error={error} />
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button kind="primary" type="submit" busy={isSubmitting}>
          Create target
        </Button>
      </div>
      {guard?.(isDirty && !isSubmitSuccessful)}
    </form>
  );
}
