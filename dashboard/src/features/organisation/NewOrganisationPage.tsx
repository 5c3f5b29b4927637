import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { api, take } from "@/api/client";
import { showProblems } from "@/forms/problems";
import { Button } from "@/ui/Button";
import { Field, Input } from "@/ui/Field";
import { Refusal } from "@/ui/Notice";
import { Door } from "../session/Door";

/** For who belongs to no organisation yet. */
export function NewOrganisationPage() {
  const [error, setError] = useState<unknown>();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const form = useForm({ defaultValues: { clientName: "" } });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (body) => {
    try {
      const { clientId } = await take(api.POST("/clients", { body }));
      await queries.invalidateQueries({ queryKey: ["organisations"] });
      await navigate({ to: "/o/$clientId", params: { clientId } });
    } catch (cause) {
      setError(showProblems(form, cause));
    }
  });
  return (
    <Door
      title="Make an organisation"
      about="It holds proxies and the people who manage them. Were you invited to one? Then open the link of the invite."
    >
      <form noValidate onSubmit={submit} className="flex flex-col gap-4">
        <Field label="Name" error={errors.clientName?.message}>
          <Input autoFocus autoComplete="organization" {...form.register("clientName")} />
        </Field>
        <Refusal error={error} />
        <Button kind="primary" type="submit" busy={isSubmitting}>
          Make organisation
        </Button>
      </form>
    </Door>
  );
}
