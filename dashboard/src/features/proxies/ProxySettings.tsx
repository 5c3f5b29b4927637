import { zodResolver } from "@hookform/resolvers/zod";
import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { ConflictDialog } from "@/forms/ConflictDialog";
import { showProblems } from "@/forms/problems";
import { RecordFacts } from "@/forms/RecordFacts";
import { SaveBar } from "@/forms/SaveBar";
import { useEdit } from "@/forms/useEdit";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { Card } from "@/ui/Page";
import { tell } from "@/ui/Toasts";
import { ProxyFields } from "./ProxyFields";
import { proxyQuery, useProxyWrites } from "./queries";
import { bodyOf, formOf, PROXY_LABELS, proxySchema, type ProxyForm } from "./schema";

const route = getRouteApi("/in/o/$clientId/proxies/$proxyId/settings");

export function ProxySettings() {
  const { clientId, proxyId } = route.useParams();
  const { data } = useSuspenseQuery(proxyQuery(clientId, proxyId));
  return (
    <div className="flex max-w-3xl flex-col gap-5">
      <Card title="Settings">
        <EditForm key={proxyId} />
      </Card>
      <Card title="Record">
        <RecordFacts id={proxyId} {...data.value} />
      </Card>
      <Removal name={data.value.proxyName} />
    </div>
  );
}

function EditForm() {
  const { clientId, proxyId } = route.useParams();
  const { data: loaded } = useSuspenseQuery(proxyQuery(clientId, proxyId));
  const queries = useQueryClient();
  const [error, setError] = useState<unknown>();
  const { change } = useProxyWrites(clientId);
  const [base, setBase] = useState({ value: formOf(loaded.value), tag: loaded.tag });
  const form = useForm<ProxyForm>({
    resolver: zodResolver(proxySchema),
    defaultValues: base.value,
  });
  const reload = async () => {
    const { value, tag } = await queries.query({
      ...proxyQuery(clientId, proxyId),
      staleTime: 0,
    });
    return { value: formOf(value), tag };
  };
  const edit = useEdit<ProxyForm>({
    loaded: base,
    save: (patch, tag) => change(proxyId, patch, tag),
    reload,
  });
  const restart = (next: typeof base) => {
    setBase(next);
    form.reset(next.value);
    edit.forget();
  };
  const attempt = async (work: () => Promise<boolean>) => {
    try {
      if (!(await work())) return;
      restart(await reload());
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
      onSubmit={form.handleSubmit((values) => attempt(() => edit.submit(bodyOf(values))))}
      className="flex flex-col gap-5"
    >
      <ProxyFields form={form} clientId={clientId} fixed />
      <SaveBar form={form} error={error} />
      <ConflictDialog
        conflict={edit.conflict}
        labels={PROXY_LABELS}
        onKeep={() => void attempt(edit.overwrite)}
        onTake={() => {
          if (edit.conflict) restart(edit.conflict.theirs);
        }}
        onClose={edit.forget}
      />
    </form>
  );
}

function Removal({ name }: { name: string }) {
  const { clientId, proxyId } = route.useParams();
  const navigate = useNavigate();
  const [isOpen, setOpen] = useState(false);
  const { remove } = useProxyWrites(clientId);
  return (
    <Card title="Delete">
      <div className="flex flex-wrap items-center justify-between gap-3 text-sm text-soft">
        <p>Its rules, filters and meters go with it. Credentials and target stay.</p>
        <Button onClick={() => setOpen(true)}>Delete proxy</Button>
      </div>
      <Confirm
        open={isOpen}
        title={`Delete ${name}?`}
        action="Delete proxy"
        name={name}
        onClose={() => setOpen(false)}
        onConfirm={async () => {
          await remove(proxyId);
          tell(`${name} is deleted`);
          await navigate({ to: "/o/$clientId/proxies", params: { clientId }, ignoreBlocker: true });
        }}
      >
        Calls to it are refused at once. Records of calls stay until their time is over.
      </Confirm>
    </Card>
  );
}
