import { useQueries, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { credentialQuery } from "../credentials/queries";
import { proxyQuery } from "../proxies/queries";
import { targetQuery } from "../targets/queries";
import type { Owner, Place } from "./queries";

/** More of a proxy's callers are looked after on their own pages. */
const MOST_CALLERS = 5;

/** All whose rules and filters a call through a proxy meets, in the order of the layers. */
export function useOwners({ clientId, proxyId }: Place): Owner[] {
  const { data: proxy } = useSuspenseQuery(proxyQuery(clientId, proxyId));
  const { proxyName, proxyTargetId, proxyTargetCredentialId, proxyProxyCredentialIds } =
    proxy.value;
  const target = useQuery({ ...targetQuery(clientId, proxyTargetId), retry: false });
  const credentials = useQueries({
    queries: [proxyTargetCredentialId, ...proxyProxyCredentialIds.slice(0, MOST_CALLERS)].map(
      (id) => ({
        ...credentialQuery(clientId, id),
        retry: false,
      }),
    ),
  });
  const owners: Owner[] = [{ clientId, layer: "proxy", id: proxyId, name: proxyName }];
  if (target.data) {
    owners.push({
      clientId,
      layer: "target",
      id: proxyTargetId,
      name: target.data.value.targetName,
    });
  }
  for (const { data } of credentials) {
    if (!data) continue;
    const { credentialId: id, credentialName: name, credentialType: side } = data.value;
    owners.push({
      clientId,
      layer: side === "proxy" ? "proxyCredential" : "targetCredential",
      id,
      name,
    });
  }
  return owners;
}
