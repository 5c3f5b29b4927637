import { Collapsible } from "@base-ui/react/collapsible";
import { ChevronRight } from "lucide-react";
import { Controller, type UseFormReturn } from "react-hook-form";
import { EffectField } from "@/forms/EffectField";
import { RegionField } from "@/forms/RegionField";
import { Field, Input } from "@/ui/Field";
import { Switch } from "@/ui/Switch";
import { CredentialPicker, CredentialsPicker, TargetPicker } from "./pickers";
import { PROXY_LABELS as LABELS, type ProxyForm } from "./schema";

interface ProxyFieldsProps {
  form: UseFormReturn<ProxyForm>;
  clientId: string;
  /** It is there already: its region stays. */
  fixed?: boolean;
}

export function ProxyFields({ form, clientId, fixed }: ProxyFieldsProps) {
  const { errors } = form.formState;
  const region = form.watch("proxyRegion");
  const place = { clientId, region };
  return (
    <>
      <Field label={LABELS.proxyName} error={errors.proxyName?.message}>
        <Input
          autoComplete="off"
          placeholder="payments-production"
          {...form.register("proxyName")}
        />
      </Field>
      <RegionField form={form} name="proxyRegion" fixed={fixed} />
      <Controller
        control={form.control}
        name="proxyTargetId"
        render={({ field }) => (
          <TargetPicker
            {...place}
            value={field.value}
            onChange={field.onChange}
            error={errors.proxyTargetId?.message}
          />
        )}
      />
      <Controller
        control={form.control}
        name="proxyTargetCredentialId"
        render={({ field }) => (
          <CredentialPicker
            {...place}
            value={field.value}
            onChange={field.onChange}
            error={errors.proxyTargetCredentialId?.message}
          />
        )}
      />
      <Controller
        control={form.control}
        name="proxyProxyCredentialIds"
        render={({ field }) => (
          <CredentialsPicker
            {...place}
            value={field.value}
            onChange={field.onChange}
            error={errors.proxyProxyCredentialIds?.message}
          />
        )}
      />
      <Controller
        control={form.control}
        name="proxyActive"
        render={({ field }) => (
          <Switch
            label="Active"
            help="Inactive: every call is refused."
            checked={field.value}
            onChange={field.onChange}
          />
        )}
      />
      <More form={form} />
    </>
  );
}

function More({ form }: { form: UseFormReturn<ProxyForm> }) {
  const { errors } = form.formState;
  const number = (name: "proxyMaxRequestsPerMinute" | "proxyMaxRequestsPerDay") => (
    <Field
      optional
      label={LABELS[name]}
      error={errors[name]?.message}
      help="Empty: as the organisation has it."
    >
      <Input type="number" min={1} {...form.register(name, { setValueAs: numberOrNull })} />
    </Field>
  );
  return (
    <Collapsible.Root className="rounded-md border border-line">
      <Collapsible.Trigger className="group flex w-full items-center gap-2 px-3 py-2 text-sm font-medium">
        <ChevronRight
          aria-hidden
          className="size-4 text-faint transition-transform group-data-panel-open:rotate-90"
        />
        Limits, alias and rules
      </Collapsible.Trigger>
      <Collapsible.Panel className="flex flex-col gap-5 border-t border-line p-4">
        <Field
          optional
          label={LABELS.proxyAlias}
          error={errors.proxyAlias?.message}
          help="Stands for the id in the proxy’s address; unique in its region."
        >
          <Input mono autoComplete="off" {...form.register("proxyAlias")} />
        </Field>
        <div className="grid gap-5 sm:grid-cols-3">
          <Field label={LABELS.proxyTimeoutSeconds} error={errors.proxyTimeoutSeconds?.message}>
            <Input
              type="number"
              min={1}
              max={60}
              {...form.register("proxyTimeoutSeconds", { valueAsNumber: true })}
            />
          </Field>
          {number("proxyMaxRequestsPerMinute")}
          {number("proxyMaxRequestsPerDay")}
        </div>
        <Controller
          control={form.control}
          name="proxyDefaultRuleEffect"
          render={({ field }) => <EffectField value={field.value} onChange={field.onChange} />}
        />
      </Collapsible.Panel>
    </Collapsible.Root>
  );
}

function numberOrNull(text: unknown): number | null {
  return text === "" || text === null || text === undefined ? null : Number(text);
}
