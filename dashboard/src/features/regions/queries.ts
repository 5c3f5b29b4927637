import { queryOptions } from "@tanstack/react-query";
import { api, take, type Schemas } from "@/api/client";

export type Region = Schemas["Listed_RegionResource"]["data"][number];

const HOUR_MS = 3_600_000;

/** How many calls of the organisation a region had in the last hour. */
export function trafficQuery(clientId: string, region: string) {
  return queryOptions({
    queryKey: ["organisation", clientId, "regions", region, "traffic"],
    queryFn: async ({ signal }) => {
      const from = new Date(Date.now() - HOUR_MS).toISOString();
      const params = { path: { clientId }, query: { from, interval: "minute", region } as const };
      const { totals } = await take(api.GET("/clients/{clientId}/telemetry", { params, signal }));
      return totals.requests;
    },
    refetchInterval: 60_000,
  });
}
