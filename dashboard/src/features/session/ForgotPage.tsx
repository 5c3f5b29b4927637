import { zodResolver } from "@hookform/resolvers/zod";
import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useForm } from "react-hook-form";
import { api, take } from "@/api/client";
import { showProblems } from "@/forms/problems";
import { z } from "@/forms/z";
import { Button } from "@/ui/Button";
import { Field, Input } from "@/ui/Field";
import { Refusal } from "@/ui/Notice";
import { Door } from "./Door";

const schema = z.object({ email: z.email("Write your e-mail address.") });

/** Asks for a letter that lets one choose another password. */
export function ForgotPage() {
  const [error, setError] = useState<unknown>();
  const form = useForm({ resolver: zodResolver(schema), defaultValues: { email: "" } });
  useEffect(() => {
    document.title = "Another password · RequestRocket";
  }, []);
  const { errors, isSubmitting, isSubmitSuccessful } = form.formState;
  const submit = form.handleSubmit(async (body) => {
    try {
      await take(api.POST("/session/forgot", { body }));
    } catch (cause) {
      setError(showProblems(form, cause));
      throw cause;
    }
  });
  if (isSubmitSuccessful) {
    return (
      <Door
        title="Look into your mail"
        about="If somebody signs in with this address, a letter with a link is on its way. It is good for an hour."
      >
        <p className="text-xs text-faint">
          No letter? Where no mail is set up, or the address was never confirmed, whoever runs
          RequestRocket makes a set-up link:{" "}
          <code className="font-mono">requestrocket-core-api setup-token</code>
        </p>
      </Door>
    );
  }
  return (
    <Door title="Another password" about="We send a link to the address that you sign in with.">
      <form
        noValidate
        onSubmit={(event) => void submit(event).catch(() => undefined)}
        className="flex flex-col gap-4"
      >
        <Field label="E-mail" error={errors.email?.message}>
          <Input type="email" autoComplete="username" autoFocus {...form.register("email")} />
        </Field>
        <Refusal error={error} />
        <Button kind="primary" type="submit" busy={isSubmitting}>
          Send the link
        </Button>
      </form>
      <p className="mt-6 text-sm">
        <Link to="/sign-in">Back to signing in</Link>
      </p>
    </Door>
  );
}
