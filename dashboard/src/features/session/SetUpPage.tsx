import { zodResolver } from "@hookform/resolvers/zod";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useForm } from "react-hook-form";
import { z } from "@/forms/z";
import { api, take } from "@/api/client";
import { showProblems } from "@/forms/problems";
import { Button } from "@/ui/Button";
import { Field, Input } from "@/ui/Field";
import { Refusal } from "@/ui/Notice";
import { Door } from "./Door";
import { tokenOfLink, useTokenOnce } from "./link";

const LOST = "The link lost its token: open it again, or paste the token.";

const schema = z.object({
  token: z.string().check(z.trim(), z.minLength(1, LOST)),
  email: z.email("Write an e-mail address."),
  password: z
    .string()
    .check(z.minLength(12, "At least 12 characters."), z.maxLength(200, "At most 200 characters.")),
});

/** Where a set-up link leads: the owner chooses an address and a password. */
export function SetUpPage() {
  const [token] = useState(tokenOfLink);
  const [error, setError] = useState<unknown>();
  const router = useRouter();
  const queries = useQueryClient();
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { token, email: "", password: "" },
  });
  useTokenOnce();
  useEffect(() => {
    document.title = "Set up · RequestRocket";
  }, []);
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (body) => {
    try {
      await take(api.POST("/session/setup", { body }));
      queries.clear();
      await router.navigate({ to: "/", replace: true });
    } catch (cause) {
      setError(showProblems(form, cause));
    }
  });
  return (
    <Door title="Welcome to RequestRocket" about="Choose how you will sign in from now on.">
      <form noValidate onSubmit={submit} className="flex flex-col gap-4">
        {token === "" && (
          <Field label="Set-up token" error={errors.token?.message}>
            <Input mono autoComplete="off" {...form.register("token")} />
          </Field>
        )}
        <Field label="E-mail" error={errors.email?.message}>
          <Input type="email" autoComplete="username" autoFocus {...form.register("email")} />
        </Field>
        <Field
          label="Password"
          error={errors.password?.message}
          help="At least 12 characters; several words are easier to remember than signs."
        >
          <Input type="password" autoComplete="new-password" {...form.register("password")} />
        </Field>
        <Refusal error={error} />
        <Button kind="primary" type="submit" busy={isSubmitting}>
          Set up and sign in
        </Button>
      </form>
    </Door>
  );
}
