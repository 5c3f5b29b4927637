import { zodResolver } from "@hookform/resolvers/zod";
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { name, z } from "@/forms/z";
import type { Tagged } from "@/api/client";
import { ConflictDialog } from "@/forms/ConflictDialog";
import { EffectField } from "@/forms/EffectField";
import { showProblems } from "@/forms/problems";
import { SaveBar } from "@/forms/SaveBar";
import { useEdit } from "@/forms/useEdit";
import { Field, Input } from "@/ui/Field";
import { Switch } from "@/ui/Switch";
import { tell } from "@/ui/Toasts";
import { credentialQuery, useCredentialWrites, type Credential } from "./queries";

const schema = z.object({
  credentialName: name,
  credentialActive: z.boolean(),
  credentialDefaultRuleEffect: z.enum(["allow", "deny"]),
  credentialExpiresAt: z.nullable(z.string()),
  credentialAllowedHosts: z.array(z.string()),
});

type EditForm = z.infer<typeof schema>;

const LABELS: Record<keyof EditForm, string> = {
  credentialName: "Name",
  credentialActive: "Active",
  credentialDefaultRuleEffect: "Without a matching rule",
  credentialExpiresAt: "Expires",
  credentialAllowedHosts: "Allowed hosts",
};

function formOf(credential: Credential): EditForm {
  return {
    credentialName: credential.credentialName,
    credentialActive: credential.credentialActive,
    credentialDefaultRuleEffect: credential.credentialDefaultRuleEffect,
    credentialExpiresAt: credential.credentialExpiresAt ?? null,
    credentialAllowedHosts: credential.credentialAllowedHosts,
  };
}

export function CredentialEditForm({
  clientId,
  loaded,
}: {
  clientId: string;
  loaded: Tagged<Credential>;
}) {
  const { credentialId, credentialType } = loaded.value;
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const { change } = useCredentialWrites(clientId);
  const base = { value: formOf(loaded.value), tag: loaded.tag };
  const form = useForm<EditForm>({ resolver: zodResolver(schema), defaultValues: base.value });
  const { errors } = form.formState;
  const edit = useEdit<EditForm>({
    loaded: base,
    save: (patch, tag) => change(credentialId, patch, tag),
    reload: async () => {
      const query = { ...credentialQuery(clientId, credentialId), staleTime: 0 };
      const { value, tag } = await queries.query(query);
      return { value: formOf(value), tag };
    },
  });
  const attempt = async (work: () => Promise<boolean>) => {
    try {
      if (!(await work())) return;
      form.reset(form.getValues());
      setError(undefined);
      tell("Saved");
    } catch (cause) {
      edit.forget();
      setError(showProblems(form, cause));
    }
  };
  return (
    <form
      noValidate
      onSubmit={form.handleSubmit((values) => attempt(() => edit.submit(values)))}
      className="flex flex-col gap-5"
    >
      <Field label={LABELS.credentialName} error={errors.credentialName?.message}>
        <Input autoComplete="off" {...form.register("credentialName")} />
      </Field>
      <Controller
        control={form.control}
        name="credentialActive"
        render={({ field }) => (
          <Switch
            label="Active"
            help={
              credentialType === "proxy"
                ? "Inactive: its callers are denied."
                : "Inactive: targets get nothing, and calls that need it fail."
            }
            checked={field.value}
            onChange={field.onChange}
          />
        )}
      />
      <Controller
        control={form.control}
        name="credentialExpiresAt"
        render={({ field }) => (
          <Field
            optional
            label={LABELS.credentialExpiresAt}
            error={errors.credentialExpiresAt?.message}
            help="In your own time zone; from then on it counts no more."
          >
            <Input
              type="datetime-local"
              className="tabular"
              value={localInput(field.value)}
              onChange={(event) => {
                const { value } = event.target;
                field.onChange(value === "" ? null : new Date(value).toISOString());
              }}
            />
          </Field>
        )}
      />
      {credentialType === "target" && (
        <Controller
          control={form.control}
          name="credentialAllowedHosts"
          render={({ field }) => (
            <Field
              optional
              label={LABELS.credentialAllowedHosts}
              error={errors.credentialAllowedHosts?.message}
              help="The only hosts it may be given to, separated by blanks; none: every target's."
            >
              <Input
                mono
                placeholder="api.example.com *.example.org"
                defaultValue={field.value.join(" ")}
                onChange={(event) =>
                  field.onChange(event.target.value.split(/[\s,]+/).filter((host) => host !== ""))
                }
              />
            </Field>
          )}
        />
      )}
      <Controller
        control={form.control}
        name="credentialDefaultRuleEffect"
        render={({ field }) => <EffectField value={field.value} onChange={field.onChange} />}
      />
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

/** What `<input type="datetime-local">` shows: local time without a zone. */
function localInput(at: string | null): string {
  if (at === null) return "";
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
