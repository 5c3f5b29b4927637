import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useForm } from "react-hook-form";
import { api, take } from "@/api/client";
import { showProblems } from "@/forms/problems";
import { Button } from "@/ui/Button";
import { Field, Input } from "@/ui/Field";
import { Refusal } from "@/ui/Notice";
import { Door } from "./Door";
import { tokenOfLink, useTokenOnce } from "./link";

/** Where the link of an invite leads: somebody new chooses a name and a password. */
export function InvitePage() {
  const [inviteToken] = useState(tokenOfLink);
  const [error, setError] = useState<unknown>();
  const router = useRouter();
  const queries = useQueryClient();
  const form = useForm({ defaultValues: { firstName: "", lastName: "", password: "" } });
  useTokenOnce();
  useEffect(() => {
    document.title = "Join · RequestRocket";
  }, []);
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (values) => {
    try {
      await take(api.POST("/invites/accept", { body: { ...values, inviteToken } }));
      queries.clear();
      await router.navigate({ to: "/sign-in", replace: true });
    } catch (cause) {
      setError(showProblems(form, cause));
    }
  });
  return (
    <Door title="Join an organisation" about="Then you sign in with the address that was invited.">
      <form noValidate onSubmit={submit} className="flex flex-col gap-4">
        <Field label="First name" error={errors.firstName?.message}>
          <Input autoComplete="given-name" {...form.register("firstName")} />
        </Field>
        <Field label="Last name" error={errors.lastName?.message}>
          <Input autoComplete="family-name" {...form.register("lastName")} />
        </Field>
        <Field label="Password" error={errors.password?.message} help="At least 12 characters.">
          <Input type="password" autoComplete="new-password" {...form.register("password")} />
        </Field>
        <Refusal error={error} />
        <Button kind="primary" type="submit" busy={isSubmitting}>
          Join
        </Button>
      </form>
    </Door>
  );
}
