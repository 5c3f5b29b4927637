import { zodResolver } from "@hookform/resolvers/zod";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import type { Tagged } from "@/api/client";
import { ConflictDialog } from "@/forms/ConflictDialog";
import { showProblems } from "@/forms/problems";
import { SaveBar } from "@/forms/SaveBar";
import { useEdit } from "@/forms/useEdit";
import { tell } from "@/ui/Toasts";
import { targetQuery, useTargetWrites, type Target } from "./queries";
import { bodyOf, formOf, TARGET_LABELS, targetSchema, type TargetForm } from "./schema";
import { TargetFields } from "./TargetFields";

export function TargetEditForm({ clientId, loaded }: { clientId: string; loaded: Tagged<Target> }) {
  const { targetId } = loaded.value;
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const { change } = useTargetWrites(clientId);
  const base = { value: formOf(loaded.value), tag: loaded.tag };
  const form = useForm<TargetForm>({
    resolver: zodResolver(targetSchema),
    defaultValues: base.value,
  });
  const edit = useEdit<TargetForm>({
    loaded: base,
    save: (patch, tag) => change(targetId, patch, tag),
    reload: async () => {
      const query = { ...targetQuery(clientId, targetId), staleTime: 0 };
      const { value, tag } = await queries.query(query);
      return { value: formOf(value), tag };
    },
  });
  const saved = (values: TargetForm) => {
    form.reset(values);
    setError(undefined);
    tell("Saved");
  };
  const attempt = async (work: () => Promise<boolean>) => {
    try {
      if (await work()) saved(form.getValues());
    } catch (cause) {
      edit.forget();
      setError(showProblems(form, cause));
    }
  };
  return (
    <form
      noValidate
      onSubmit={form.handleSubmit((values) => attempt(() => edit.submit(bodyOf(values))))}
      className="flex flex-col gap-5"
    >
      <TargetFields form={form} fixed />
      <SaveBar form={form} error={error} />
      <ConflictDialog
        conflict={edit.conflict}
        labels={TARGET_LABELS}
        onKeep={() => void attempt(edit.overwrite)}
        onTake={(theirs) => {
          form.reset(theirs);
          edit.forget();
        }}
        onClose={edit.forget}
      />
    </form>
  );
}
