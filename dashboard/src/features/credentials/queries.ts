import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { api, take, takeTagged, type Schemas } from "@/api/client";
import { listQuery, type ListSearch } from "@/table/search";

export type Credential = Schemas["CredentialResource"];
export type CredentialInput = Schemas["CredentialInput"];
export type Side = Schemas["CredentialType"];
export type AuthType = Schemas["CredentialAuthType"];

const LIST = "/clients/{clientId}/credentials";
const ONE = "/clients/{clientId}/credentials/{credentialId}";

export function credentialsQuery(clientId: string, side: Side, search: ListSearch) {
  // Those that wait for consent are here to be consented to.
  const query = {
    ...listQuery(search),
    type: side,
    active: search.active,
    includeTemporary: side === "target",
  };
  return queryOptions({
    queryKey: ["organisation", clientId, "credentials", "list", query],
    queryFn: ({ signal }) => take(api.GET(LIST, { params: { path: { clientId }, query }, signal })),
  });
}

export function credentialQuery(clientId: string, credentialId: string) {
  return queryOptions({
    queryKey: ["organisation", clientId, "credentials", credentialId],
    queryFn: () => takeTagged(api.GET(ONE, { params: { path: { clientId, credentialId } } })),
  });
}

export function useCredentialWrites(clientId: string) {
  const queries = useQueryClient();
  const changed = () =>
    queries.invalidateQueries({ queryKey: ["organisation", clientId, "credentials"] });
  const path = (credentialId: string) => ({ clientId, credentialId });
  return {
    create: async (body: CredentialInput, key: string) => {
      const params = { path: { clientId }, header: { "Idempotency-Key": key } };
      const made = await take(api.POST(LIST, { params, body }));
      await changed();
      return made;
    },
    change: async (credentialId: string, body: Schemas["CredentialPatch"], tag?: string) => {
      const header = tag === undefined ? {} : { "If-Match": tag };
      const params = { path: path(credentialId), header };
      const changedOne = await take(api.PATCH(ONE, { params, body }));
      await changed();
      return changedOne;
    },
    remove: async (credentialId: string, force: boolean) => {
      await take(api.DELETE(ONE, { params: { path: path(credentialId), query: { force } } }));
      await changed();
    },
    /** Where somebody has to consent. */
    consent: async (credentialId: string) => {
      const asked = await take(
        api.POST(`${ONE}/consent`, { params: { path: path(credentialId) } }),
      );
      return asked.authorizationUrl;
    },
    /** Which of its two secrets targets are given. */
    switchTo: async (credentialId: string, slot: Schemas["CredentialSlot"]) => {
      await take(
        api.POST(`${ONE}/switch`, { params: { path: path(credentialId) }, body: { slot } }),
      );
      await changed();
    },
    endPrevious: async (credentialId: string) => {
      await take(api.DELETE(`${ONE}/previous`, { params: { path: path(credentialId) } }));
      await changed();
    },
  };
}
