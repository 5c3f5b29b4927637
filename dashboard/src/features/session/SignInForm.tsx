import { zodResolver } from "@hookform/resolvers/zod";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { z } from "@/forms/z";
import { api, take } from "@/api/client";
import { Button } from "@/ui/Button";
import { Field, Input } from "@/ui/Field";
import { Refusal } from "@/ui/Notice";

const schema = z.object({
  email: z.email("Write your e-mail address."),
  password: z.string().check(z.minLength(1, "Write your password.")),
});

/** Address and password; `onDone` once there is a session. */
export function SignInForm({ email, onDone }: { email?: string; onDone: () => void }) {
  const [error, setError] = useState<unknown>();
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: { email: email ?? "", password: "" },
  });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (body) => {
    try {
      await take(api.POST("/session", { body }));
      onDone();
    } catch (cause) {
      form.resetField("password");
      setError(cause);
    }
  });
  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-4">
      <Field label="E-mail" error={errors.email?.message}>
        <Input
          type="email"
          autoComplete="username"
          autoFocus={!email}
          readOnly={email !== undefined}
          {...form.register("email")}
        />
      </Field>
      <Field label="Password" error={errors.password?.message}>
        <Input
          type="password"
          autoComplete="current-password"
          autoFocus={email !== undefined}
          {...form.register("password")}
        />
      </Field>
      <Refusal error={error} />
      <Button kind="primary" type="submit" busy={isSubmitting}>
        Sign in
      </Button>
    </form>
  );
}
