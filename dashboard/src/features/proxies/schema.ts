import { name, z } from "@/forms/z";
import type { Proxy } from "./queries";

const whole = (least: number, most: number) =>
  z
    .int("A whole number.")
    .check(z.gte(least, `At least ${least}.`), z.lte(most, `At most ${most}.`));
const chosen = (problem: string) => z.string().check(z.minLength(1, problem));
const ALIAS = /^([a-z0-9][a-z0-9-]{1,61}[a-z0-9])?$/;

export const proxySchema = z.object({
  proxyName: name,
  proxyRegion: chosen("Choose a region."),
  proxyProxyCredentialIds: z.array(z.string()).check(z.minLength(1, "Choose at least one.")),
  proxyTargetId: chosen("Choose a target."),
  proxyTargetCredentialId: chosen("Choose a target credential."),
  proxyActive: z.boolean(),
  proxyAlias: z.nullable(
    z.string().check(z.regex(ALIAS, "3 to 63 lowercase letters, digits and dashes.")),
  ),
  proxyDefaultRuleEffect: z.enum(["allow", "deny"]),
  proxyTimeoutSeconds: whole(1, 60),
  proxyMaxRequestsPerMinute: z.nullable(whole(1, Number.MAX_SAFE_INTEGER)),
  proxyMaxRequestsPerDay: z.nullable(whole(1, Number.MAX_SAFE_INTEGER)),
});

export type ProxyForm = z.infer<typeof proxySchema>;

export const PROXY_LABELS: Record<keyof ProxyForm, string> = {
  proxyName: "Name",
  proxyRegion: "Region",
  proxyProxyCredentialIds: "Proxy credentials",
  proxyTargetId: "Target",
  proxyTargetCredentialId: "Target credential",
  proxyActive: "Active",
  proxyAlias: "Alias",
  proxyDefaultRuleEffect: "Without a matching rule",
  proxyTimeoutSeconds: "Timeout, in seconds",
  proxyMaxRequestsPerMinute: "Calls a minute",
  proxyMaxRequestsPerDay: "Calls a day",
};

export const NEW_PROXY: ProxyForm = {
  proxyName: "",
  proxyRegion: "",
  proxyProxyCredentialIds: [],
  proxyTargetId: "",
  proxyTargetCredentialId: "",
  proxyActive: true,
  proxyAlias: null,
  proxyDefaultRuleEffect: "allow",
  proxyTimeoutSeconds: 30,
  proxyMaxRequestsPerMinute: null,
  proxyMaxRequestsPerDay: null,
};

export function formOf(proxy: Proxy): ProxyForm {
  return {
    proxyName: proxy.proxyName,
    proxyRegion: proxy.proxyRegion,
    proxyProxyCredentialIds: proxy.proxyProxyCredentialIds,
    proxyTargetId: proxy.proxyTargetId,
    proxyTargetCredentialId: proxy.proxyTargetCredentialId,
    proxyActive: proxy.proxyActive,
    proxyAlias: proxy.proxyAlias ?? null,
    proxyDefaultRuleEffect: proxy.proxyDefaultRuleEffect,
    proxyTimeoutSeconds: proxy.proxyTimeoutSeconds,
    proxyMaxRequestsPerMinute: proxy.proxyMaxRequestsPerMinute ?? null,
    proxyMaxRequestsPerDay: proxy.proxyMaxRequestsPerDay ?? null,
  };
}

/** An empty alias is none. */
export function bodyOf(form: ProxyForm): ProxyForm {
  return { ...form, proxyAlias: form.proxyAlias === "" ? null : form.proxyAlias };
}
