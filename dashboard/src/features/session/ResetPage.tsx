import { zodResolver } from "@hookform/resolvers/zod";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useForm } from "react-hook-form";
import { api, take } from "@/api/client";
import { showProblems } from "@/forms/problems";
import { z } from "@/forms/z";
import { Button } from "@/ui/Button";
import { Field, Input } from "@/ui/Field";
import { Refusal } from "@/ui/Notice";
import { Door } from "./Door";
import { tokenOfLink, useTokenOnce } from "./link";

const schema = z.object({
  password: z
    .string()
    .check(z.minLength(12, "At least 12 characters."), z.maxLength(200, "At most 200 characters.")),
});

/** Where the link of a letter leads: its reader chooses another password. */
export function ResetPage() {
  const [token] = useState(tokenOfLink);
  const [error, setError] = useState<unknown>();
  const router = useRouter();
  const queries = useQueryClient();
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { password: "" } });
  useTokenOnce();
  useEffect(() => {
    document.title = "Another password · RequestRocket";
  }, []);
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async ({ password }) => {
    try {
      await take(api.POST("/session/reset", { body: { token, password } }));
      queries.clear();
      await router.navigate({ to: "/sign-in", replace: true });
    } catch (cause) {
      setError(showProblems(form, cause));
    }
  });
  return (
    <Door title="Another password" about="All your sessions end, and you sign in with the new one.">
      <form noValidate onSubmit={submit} className="flex flex-col gap-4">
        <Field label="New password" error={errors.password?.message} help="At least 12 characters.">
          <Input
            type="password"
            autoComplete="new-password"
            autoFocus
            {...form.register("password")}
          />
        </Field>
        <Refusal error={error} />
        <Button kind="primary" type="submit" busy={isSubmitting}>
          Choose it
        </Button>
      </form>
    </Door>
  );
}
