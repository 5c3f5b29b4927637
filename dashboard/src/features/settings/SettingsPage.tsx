import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { api, take, takeTagged, type Schemas, type Tagged } from "@/api/client";
import { showProblems } from "@/forms/problems";
import { RecordFacts } from "@/forms/RecordFacts";
import { SaveBar } from "@/forms/SaveBar";
import { name, z } from "@/forms/z";
import { zodResolver } from "@hookform/resolvers/zod";
import { Field, Input } from "@/ui/Field";
import { Card, Facts, Failed, Page, Skeleton } from "@/ui/Page";
import { Status, Tag } from "@/ui/Status";
import { tell } from "@/ui/Toasts";

type Organisation = Schemas["OrganisationResource"];

const route = getRouteApi("/in/o/$clientId/settings");
const limit = z.nullable(z.int("A whole number.").check(z.gte(1, "At least 1.")));
const schema = z.object({ clientName: name, requestsPerMinute: limit, requestsPerDay: limit });

export function SettingsPage() {
  const { clientId } = route.useParams();
  const query = useQuery({
    queryKey: ["organisation", clientId, "settings"],
    queryFn: () => takeTagged(api.GET("/clients/{clientId}", { params: { path: { clientId } } })),
  });
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton className="m-8 h-80" />;
  const { value } = query.data;
  return (
    <Page narrow title="Settings">
      <div className="flex flex-col gap-5">
        <Card title="Organisation">
          <ProfileForm loaded={query.data} />
        </Card>
        <Card title="Plan">
          <Facts
            rows={[
              ["Plan", <Tag key="plan">{value.clientPlan}</Tag>],
              ["Status", <Status key="status" word={value.clientStatus} />],
              [
                "Regions",
                value.configuration.regions.length === 0
                  ? "everywhere"
                  : value.configuration.regions.join(", "),
              ],
            ]}
          />
        </Card>
        <Card title="Record">
          <RecordFacts id={value.clientId} {...value} />
        </Card>
      </div>
    </Page>
  );
}

function ProfileForm({ loaded }: { loaded: Tagged<Organisation> }) {
  const { clientId, clientName, configuration } = loaded.value;
  const { limits } = configuration;
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const form = useForm({
    resolver: zodResolver(schema),
    defaultValues: {
      clientName,
      requestsPerMinute: limits.requestsPerMinute ?? null,
      requestsPerDay: limits.requestsPerDay ?? null,
    },
  });
  const { errors } = form.formState;
  const submit = form.handleSubmit(async ({ clientName, ...limits }) => {
    try {
      const params = { path: { clientId }, header: { "If-Match": loaded.tag } };
      const body = { clientName, configuration: { limits } };
      await take(api.PATCH("/clients/{clientId}", { params, body }));
      form.reset(form.getValues());
      setError(undefined);
      await queries.invalidateQueries({ queryKey: ["organisation", clientId] });
      await queries.invalidateQueries({ queryKey: ["organisations"] });
      tell("Saved");
    } catch (cause) {
      setError(showProblems(form, cause, (member) => member.split(".").at(-1) ?? member));
    }
  });
  const number = (field: "requestsPerMinute" | "requestsPerDay", label: string) => (
    <Field optional label={label} error={errors[field]?.message} help="Copied to new proxies.">
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
    <form noValidate onSubmit={submit} className="flex flex-col gap-5">
      <Field label="Name" error={errors.clientName?.message}>
        <Input autoComplete="organization" {...form.register("clientName")} />
      </Field>
      <div className="grid gap-5 sm:grid-cols-2">
        {number("requestsPerMinute", "Calls a minute")}
        {number("requestsPerDay", "Calls a day")}
      </div>
      <SaveBar form={form} error={error} />
    </form>
  );
}
