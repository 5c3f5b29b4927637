import { queryOptions } from "@tanstack/react-query";
import { api, take } from "@/api/client";
import type { Span } from "./search";

/** Of an organisation, or of one of its proxies. */
export interface Subject {
  clientId: string;
  proxyId?: string;
}

export function telemetryQuery({ clientId, proxyId }: Subject, query: Span) {
  return queryOptions({
    queryKey: ["organisation", clientId, "telemetry", proxyId ?? "all", query],
    queryFn: ({ signal }) =>
      proxyId === undefined
        ? take(
            api.GET("/clients/{clientId}/telemetry", {
              params: { path: { clientId }, query },
              signal,
            }),
          )
        : take(
            api.GET("/clients/{clientId}/proxies/{proxyId}/telemetry", {
              params: { path: { clientId, proxyId }, query },
              signal,
            }),
          ),
  });
}
