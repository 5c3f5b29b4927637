import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { api, take, takeTagged, type Schemas } from "@/api/client";
import { listQuery, type ListSearch } from "@/table/search";

export type Proxy = Schemas["ProxyResource"];
export type ProxyInput = Schemas["ProxyInput"];

const LIST = "/clients/{clientId}/proxies";
const ONE = "/clients/{clientId}/proxies/{proxyId}";

export function proxiesQuery(clientId: string, search: ListSearch) {
  const query = { ...listQuery(search), active: search.active };
  return queryOptions({
    queryKey: ["organisation", clientId, "proxies", "list", query],
    queryFn: ({ signal }) => take(api.GET(LIST, { params: { path: { clientId }, query }, signal })),
  });
}

export function proxyQuery(clientId: string, proxyId: string) {
  return queryOptions({
    queryKey: ["organisation", clientId, "proxies", proxyId],
    queryFn: () => takeTagged(api.GET(ONE, { params: { path: { clientId, proxyId } } })),
  });
}

/** What each Envoy has of it; asked for often until it is settled. */
export function proxyStatusQuery(clientId: string, proxyId: string) {
  return queryOptions({
    queryKey: ["organisation", clientId, "proxies", proxyId, "status"],
    queryFn: () => take(api.GET(`${ONE}/status`, { params: { path: { clientId, proxyId } } })),
    refetchInterval: ({ state }) => (state.data?.proxyStatus === "pending" ? 1_000 : 10_000),
  });
}

const PAGE = 100;
/** Where somebody has more proxies than these, the API names those in the way of a deletion. */
const MOST_PAGES = 20;

async function allProxies(clientId: string): Promise<Proxy[]> {
  const found: Proxy[] = [];
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const query = { page, limit: PAGE, sort: "name", order: "asc" } as const;
    const { data, pagination } = await take(
      api.GET(LIST, { params: { path: { clientId }, query } }),
    );
    found.push(...data);
    if (page >= pagination.pages) break;
  }
  return found;
}

function allQuery(clientId: string) {
  return queryOptions({
    queryKey: ["organisation", clientId, "proxies", "all"],
    queryFn: () => allProxies(clientId),
  });
}

export function usersOfTargets(clientId: string, targetIds: string[]) {
  const uses = ({ proxyTargetId: id }: Proxy) => targetIds.includes(id);
  return { ...allQuery(clientId), select: (all: Proxy[]) => all.filter(uses) };
}

export function usersOfCredentials(clientId: string, credentialIds: string[]) {
  const uses = (proxy: Proxy) =>
    [proxy.proxyTargetCredentialId, ...proxy.proxyProxyCredentialIds].some((id) =>
      credentialIds.includes(id),
    );
  return { ...allQuery(clientId), select: (all: Proxy[]) => all.filter(uses) };
}

export function useProxyWrites(clientId: string) {
  const queries = useQueryClient();
  const changed = () =>
    queries.invalidateQueries({ queryKey: ["organisation", clientId, "proxies"] });
  const path = (proxyId: string) => ({ clientId, proxyId });
  return {
    create: async (body: ProxyInput, key: string) => {
      const params = { path: { clientId }, header: { "Idempotency-Key": key } };
      const made = await take(api.POST(LIST, { params, body }));
      await changed();
      return made;
    },
    change: async (proxyId: string, body: Schemas["ProxyPatch"], tag?: string) => {
      const header = tag === undefined ? {} : { "If-Match": tag };
      await take(api.PATCH(ONE, { params: { path: path(proxyId), header }, body }));
      await changed();
    },
    remove: async (proxyId: string) => {
      await take(api.DELETE(ONE, { params: { path: path(proxyId) } }));
      // Its page is still there, and would ask for what is gone.
      await queries.invalidateQueries({
        queryKey: ["organisation", clientId, "proxies"],
        predicate: ({ queryKey }) => queryKey[3] !== proxyId,
      });
    },
  };
}
