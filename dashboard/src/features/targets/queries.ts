import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { api, take, takeTagged, type Schemas } from "@/api/client";
import { listQuery, type ListSearch } from "@/table/search";

export type Target = Schemas["TargetResource"];
export type TargetInput = Schemas["TargetInput"];

const LIST = "/clients/{clientId}/targets";
const ONE = "/clients/{clientId}/targets/{targetId}";

export function targetsQuery(clientId: string, search: ListSearch) {
  const query = listQuery(search);
  return queryOptions({
    queryKey: ["organisation", clientId, "targets", "list", query],
    queryFn: ({ signal }) => take(api.GET(LIST, { params: { path: { clientId }, query }, signal })),
  });
}

export function targetQuery(clientId: string, targetId: string) {
  return queryOptions({
    queryKey: ["organisation", clientId, "targets", targetId],
    queryFn: () => takeTagged(api.GET(ONE, { params: { path: { clientId, targetId } } })),
  });
}

export function useTargetWrites(clientId: string) {
  const queries = useQueryClient();
  const changed = () =>
    queries.invalidateQueries({ queryKey: ["organisation", clientId, "targets"] });
  const path = (targetId: string) => ({ clientId, targetId });
  return {
    create: async (body: TargetInput, key: string) => {
      const params = { path: { clientId }, header: { "Idempotency-Key": key } };
      const made = await take(api.POST(LIST, { params, body }));
      await changed();
      return made;
    },
    change: async (targetId: string, body: Schemas["TargetPatch"], tag: string) => {
      const params = { path: path(targetId), header: { "If-Match": tag } };
      await take(api.PATCH(ONE, { params, body }));
      await changed();
    },
    remove: async (targetId: string, force: boolean) => {
      await take(api.DELETE(ONE, { params: { path: path(targetId), query: { force } } }));
      await changed();
    },
  };
}
