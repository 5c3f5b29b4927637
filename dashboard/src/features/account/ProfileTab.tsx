import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { api, take, type Schemas } from "@/api/client";
import { meQuery } from "@/api/session";
import { showProblems } from "@/forms/problems";
import { SaveBar } from "@/forms/SaveBar";
import { Field, Input, TextArea } from "@/ui/Field";
import { Card, Failed, Skeleton } from "@/ui/Page";
import { tell } from "@/ui/Toasts";

export function ProfileTab() {
  const query = useQuery(meQuery);
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton className="h-64" />;
  return (
    <Card title="Profile">
      <ProfileForm me={query.data} />
    </Card>
  );
}

function ProfileForm({ me }: { me: Schemas["UserResource"] }) {
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const form = useForm({
    defaultValues: {
      firstName: me.firstName,
      lastName: me.lastName,
      email: me.email,
      phone: me.phone ?? "",
      bio: me.bio ?? "",
    },
  });
  const { errors } = form.formState;
  const submit = form.handleSubmit(async ({ phone, bio, ...rest }) => {
    try {
      const body = { ...rest, phone: phone || null, bio: bio || null };
      await take(api.PATCH("/users/me", { body }));
      form.reset(form.getValues());
      setError(undefined);
      await queries.invalidateQueries({ queryKey: ["me"] });
      await queries.invalidateQueries({ queryKey: ["session"] });
      tell("Saved");
    } catch (cause) {
      setError(showProblems(form, cause));
    }
  });
  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-5">
      <div className="grid gap-5 sm:grid-cols-2">
        <Field label="First name" error={errors.firstName?.message}>
          <Input autoComplete="given-name" {...form.register("firstName")} />
        </Field>
        <Field label="Last name" error={errors.lastName?.message}>
          <Input autoComplete="family-name" {...form.register("lastName")} />
        </Field>
      </div>
      <Field label="E-mail" error={errors.email?.message} help="With which you sign in.">
        <Input type="email" autoComplete="email" {...form.register("email")} />
      </Field>
      <Field label="Phone" optional error={errors.phone?.message}>
        <Input type="tel" autoComplete="tel" {...form.register("phone")} />
      </Field>
      <Field label="About you" optional error={errors.bio?.message} help="Your colleagues see it.">
        <TextArea className="font-sans" {...form.register("bio")} />
      </Field>
      <SaveBar form={form} error={error} />
    </form>
  );
}
