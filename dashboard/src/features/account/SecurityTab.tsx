import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { api, take } from "@/api/client";
import { showProblems } from "@/forms/problems";
import { Button } from "@/ui/Button";
import { Field, Input } from "@/ui/Field";
import { Refusal } from "@/ui/Notice";
import { Card, Failed, Skeleton } from "@/ui/Page";
import { Pill } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { tell, tellFailure } from "@/ui/Toasts";

const KEY = ["me", "sessions"];

export function SecurityTab() {
  return (
    <div className="flex flex-col gap-5">
      <Card title="Password">
        <PasswordForm />
      </Card>
      <Card title="Where you are signed in">
        <Sessions />
      </Card>
    </div>
  );
}

function PasswordForm() {
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const form = useForm({ defaultValues: { current: "", new: "" } });
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (body) => {
    try {
      await take(api.PUT("/users/me/password", { body }));
      form.reset();
      setError(undefined);
      await queries.invalidateQueries({ queryKey: KEY });
      tell("The new password counts; all other sessions ended");
    } catch (cause) {
      setError(showProblems(form, cause));
    }
  });
  return (
    <form noValidate onSubmit={submit} className="flex flex-col gap-5">
      <Field label="Present password" error={errors.current?.message}>
        <Input type="password" autoComplete="current-password" {...form.register("current")} />
      </Field>
      <Field label="New password" error={errors.new?.message} help="At least 12 characters.">
        <Input type="password" autoComplete="new-password" {...form.register("new")} />
      </Field>
      <Refusal error={error} />
      <div className="flex justify-end">
        <Button kind="primary" type="submit" busy={isSubmitting}>
          Change password
        </Button>
      </div>
    </form>
  );
}

function Sessions() {
  const queries = useQueryClient();
  const query = useQuery({
    queryKey: KEY,
    queryFn: () => take(api.GET("/users/me/sessions", { params: { query: { limit: 100 } } })),
  });
  const end = async (sessionId: string) => {
    try {
      await take(api.DELETE("/users/me/sessions/{sessionId}", { params: { path: { sessionId } } }));
      await queries.invalidateQueries({ queryKey: KEY });
      tell("That session ended");
    } catch (error) {
      tellFailure(error);
    }
  };
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton className="h-16" />;
  return (
    <ul className="divide-y divide-line">
      {query.data.data.map((session) => (
        <li
          key={session.sessionId}
          className="flex flex-wrap items-center gap-3 py-2 text-sm first:pt-0 last:pb-0"
        >
          <span className="min-w-0 flex-1">
            <span className="block truncate font-medium" title={session.userAgent ?? undefined}>
              {session.userAgent ?? "A browser that says nothing of itself"}
            </span>
            <span className="text-xs text-soft">
              {session.lastUsedAddress} · <Time at={session.lastUsedAt} />
            </span>
          </span>
          {session.isCurrent ? (
            <Pill tone="ok">This one</Pill>
          ) : (
            <Button small kind="quiet" onClick={() => void end(session.sessionId)}>
              End
            </Button>
          )}
        </li>
      ))}
    </ul>
  );
}
