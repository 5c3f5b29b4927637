import { zodResolver } from "@hookform/resolvers/zod";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { showProblems } from "@/forms/problems";
import { UnsavedGuard } from "@/forms/UnsavedGuard";
import { onceKey } from "@/lib/links";
import { Button } from "@/ui/Button";
import { Refusal } from "@/ui/Notice";
import { Card, Page } from "@/ui/Page";
import { tell } from "@/ui/Toasts";
import { ProxyFields } from "./ProxyFields";
import { useProxyWrites } from "./queries";
import { bodyOf, NEW_PROXY, proxySchema, type ProxyForm } from "./schema";

const route = getRouteApi("/in/o/$clientId/proxies/new");

export function NewProxyPage() {
  const { clientId } = route.useParams();
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>();
  const [key, setKey] = useState(onceKey);
  const { create } = useProxyWrites(clientId);
  const form = useForm<ProxyForm>({ resolver: zodResolver(proxySchema), defaultValues: NEW_PROXY });
  const { isSubmitting, isDirty } = form.formState;
  const submit = form.handleSubmit(async (values) => {
    try {
      const { proxyId, proxyName } = await create(bodyOf(values), key);
      tell(`${proxyName} is made`);
      const params = { clientId, proxyId };
      await navigate({ to: "/o/$clientId/proxies/$proxyId", params, ignoreBlocker: true });
    } catch (cause) {
      setKey(onceKey());
      setError(showProblems(form, cause));
    }
  });
  return (
    <Page
      narrow
      title="New proxy"
      above={
        <Link to="/o/$clientId/proxies" params={{ clientId }} className="hover:text-ink">
          Proxies
        </Link>
      }
    >
      <Card>
        <form noValidate onSubmit={submit} className="flex flex-col gap-5">
          <ProxyFields form={form} clientId={clientId} />
          <Refusal error={error} />
          <div className="flex justify-end gap-2">
            <Button
              onClick={() => void navigate({ to: "/o/$clientId/proxies", params: { clientId } })}
            >
              Cancel
            </Button>
            <Button kind="primary" type="submit" busy={isSubmitting}>
              Create proxy
            </Button>
          </div>
          <UnsavedGuard dirty={isDirty && !isSubmitting} />
        </form>
      </Card>
    </Page>
  );
}
