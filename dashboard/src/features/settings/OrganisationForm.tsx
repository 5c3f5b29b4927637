import { zodResolver } from "@hookform/resolvers/zod";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { api, take, type Schemas, type Tagged } from "@/api/client";
import { ConflictDialog } from "@/forms/ConflictDialog";
import { showProblems } from "@/forms/problems";
import { SaveBar } from "@/forms/SaveBar";
import { useEdit } from "@/forms/useEdit";
import { name, z } from "@/forms/z";
import { Field, Input } from "@/ui/Field";
import { tell } from "@/ui/Toasts";
import { settingsQuery, type Organisation } from "./queries";

const limit = z.nullable(z.int("A whole number.").check(z.gte(1, "At least 1.")));
const schema = z.object({ clientName: name, requestsPerMinute: limit, requestsPerDay: limit });
type Form = z.infer<typeof schema>;

const LABELS: Record<keyof Form, string> = {
  clientName: "Name",
  requestsPerMinute: "Calls a minute",
  requestsPerDay: "Calls a day",
};

function formOf({ clientName, configuration: { limits } }: Organisation): Form {
  return {
    clientName,
    requestsPerMinute: limits.requestsPerMinute ?? null,
    requestsPerDay: limits.requestsPerDay ?? null,
  };
}

function bodyOf({ clientName, ...limits }: Partial<Form>): Schemas["OrganisationPatch"] {
  const named = clientName === undefined ? {} : { clientName };
  return Object.keys(limits).length === 0 ? named : { ...named, configuration: { limits } };
}

export function OrganisationForm({ loaded }: { loaded: Tagged<Organisation> }) {
  const { clientId } = loaded.value;
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const base = { value: formOf(loaded.value), tag: loaded.tag };
  const form = useForm<Form>({
    resolver: zodResolver(schema),
    defaultValues: base.value,
  });
  const { errors } = form.formState;
  const edit = useEdit<Form>({
    loaded: base,
    save: (patch, tag) => {
      const params = { path: { clientId }, header: { "If-Match": tag } };
      return take(api.PATCH("/clients/{clientId}", { params, body: bodyOf(patch) }));
    },
    reload: async () => {
      const { value, tag } = await queries.query({ ...settingsQuery(clientId), staleTime: 0 });
      return { value: formOf(value), tag };
    },
  });
  const attempt = async (work: () => Promise<boolean>) => {
    try {
      if (!(await work())) return;
      form.reset(form.getValues());
      setError(undefined);
      await queries.invalidateQueries({ queryKey: ["organisation", clientId] });
      await queries.invalidateQueries({ queryKey: ["organisations"] });
      tell("Saved");
    } catch (cause) {
      edit.forget();
      setError(showProblems(form, cause, (member) => member.split(".").at(-1) ?? member));
    }
  };
  const number = (field: "requestsPerMinute" | "requestsPerDay") => (
    <Field
      optional
      label={LABELS[field]}
      error={errors[field]?.message}
      help="Copied to new proxies."
    >
      <Input
        type="number"
        min={1}
        {...form.register(field, {
          setValueAs: (text: unknown) => (text === "" || text === null ? null : Number(text)),
        })}
      />
    </Field>
  );
  return (
    <form
      noValidate
      onSubmit={form.handleSubmit((values) => attempt(() => edit.submit(values)))}
      className="flex flex-col gap-5"
    >
      <Field label={LABELS.clientName} error={errors.clientName?.message}>
        <Input autoComplete="organization" {...form.register("clientName")} />
      </Field>
      <div className="grid gap-5 sm:grid-cols-2">
        {number("requestsPerMinute")}
        {number("requestsPerDay")}
      </div>
      <SaveBar form={form} error={error} />
      <ConflictDialog
        conflict={edit.conflict}
        labels={LABELS}
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
