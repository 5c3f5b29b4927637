import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { organisationsQuery } from "@/api/session";
import { useLater } from "@/lib/useLater";
import { credentialsQuery } from "../credentials/queries";
import { proxiesQuery } from "../proxies/queries";
import { targetsQuery } from "../targets/queries";
import type { Entry } from "./entries";

const EACH = 6;

/** Records whose name has what was typed, as the API finds them. */
export function useFound(clientId: string, typed: string): { found: Entry[]; isBusy: boolean } {
  const rested = useLater(typed.trim());
  const options = { enabled: rested !== "", placeholderData: keepPreviousData };
  const search = { search: rested, limit: 20, sort: "name" } as const;
  const proxies = useQuery({ ...proxiesQuery(clientId, search), ...options });
  const targets = useQuery({ ...targetsQuery(clientId, search), ...options });
  const presented = useQuery({ ...credentialsQuery(clientId, "proxy", search), ...options });
  const given = useQuery({ ...credentialsQuery(clientId, "target", search), ...options });
  const organisations = useQuery(organisationsQuery);
  const others = (organisations.data?.data ?? []).filter((one) => one.clientId !== clientId);
  const switches = others.map((one): Entry => ({
    id: one.clientId,
    group: "Organisations",
    label: one.clientName,
    link: { to: "/o/$clientId", params: { clientId: one.clientId } },
  }));
  if (typed.trim() === "") return { found: [], isBusy: false };
  const some = <T>(rows: T[] | undefined, entry: (row: T) => Entry) =>
    (rows ?? []).slice(0, EACH).map(entry);
  return {
    isBusy: rested !== typed.trim() || proxies.isFetching || targets.isFetching,
    found: [
      ...some(proxies.data?.data, ({ proxyId, proxyName, proxyRegion }) => ({
        id: proxyId,
        group: "Proxies",
        label: proxyName,
        about: proxyRegion,
        link: { to: "/o/$clientId/proxies/$proxyId", params: { clientId, proxyId } },
      })),
      ...some(targets.data?.data, ({ targetId, targetName, targetBaseURL }) => ({
        id: targetId,
        group: "Targets",
        label: targetName,
        about: targetBaseURL,
        link: { to: "/o/$clientId/targets/$targetId", params: { clientId, targetId } },
      })),
      ...some(presented.data?.data, ({ credentialId, credentialName }) => ({
        id: credentialId,
        group: "Credentials",
        label: credentialName,
        about: "of callers",
        link: {
          to: "/o/$clientId/proxy-credentials/$credentialId",
          params: { clientId, credentialId },
        },
      })),
      ...some(given.data?.data, ({ credentialId, credentialName }) => ({
        id: credentialId,
        group: "Credentials",
        label: credentialName,
        about: "for targets",
        link: {
          to: "/o/$clientId/target-credentials/$credentialId",
          params: { clientId, credentialId },
        },
      })),
      ...switches,
    ],
  };
}
