import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { api, take, takeTagged, type Schemas } from "@/api/client";

export type Meter = Schemas["MeterResource"];

/** What an editor writes; which of its members belong together the API says. */
export interface MeterInput {
  meterName: string;
  meterType: Schemas["MeterType"];
  meterActive?: boolean | null;
  extraction?: { location: "body" | "header"; path?: string; name?: string } | null;
  conditions?: Schemas["Conditions"] | null;
  limits?: Schemas["MeterLimitsInput"] | null;
}

// The client's type of bodies loses the choice that an extraction is.
type Body = never;

const LIST = "/clients/{clientId}/proxies/{proxyId}/meters";
const ONE = "/clients/{clientId}/proxies/{proxyId}/meters/{meterId}";
const ALL = { limit: 100, sort: "name", order: "asc" } as const;

export interface Place {
  clientId: string;
  proxyId: string;
}

const keyOf = ({ clientId, proxyId }: Place) => ["organisation", clientId, "meters", proxyId];

export function metersQuery(path: Place) {
  return queryOptions({
    queryKey: keyOf(path),
    queryFn: () => take(api.GET(LIST, { params: { path, query: ALL } })),
  });
}

export function meterQuery(place: Place, meterId: string) {
  return queryOptions({
    queryKey: [...keyOf(place), meterId],
    queryFn: () => takeTagged(api.GET(ONE, { params: { path: { ...place, meterId } } })),
    staleTime: 0,
    gcTime: 0,
  });
}

/** What it counted in the windows that are open now. */
export function meterUsageQuery(place: Place, meterId: string) {
  return queryOptions({
    queryKey: [...keyOf(place), meterId, "usage"],
    queryFn: () => take(api.GET(`${ONE}/usage`, { params: { path: { ...place, meterId } } })),
    refetchInterval: 5_000,
  });
}

export function useMeterWrites(place: Place) {
  const queries = useQueryClient();
  const changed = () => queries.invalidateQueries({ queryKey: keyOf(place) });
  return {
    create: async (input: MeterInput) => {
      const body = input as unknown as Body;
      await take(api.POST(LIST, { params: { path: place }, body }));
      await changed();
    },
    replace: async (meterId: string, input: MeterInput, tag: string) => {
      const body = input as unknown as Body;
      const params = { path: { ...place, meterId }, header: { "If-Match": tag } };
      await take(api.PUT(ONE, { params, body }));
      await changed();
    },
    remove: async (meterId: string) => {
      await take(api.DELETE(ONE, { params: { path: { ...place, meterId } } }));
      await changed();
    },
  };
}
