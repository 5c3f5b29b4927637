import { queryOptions } from "@tanstack/react-query";
import { api, takeTagged, type Schemas } from "@/api/client";

export type Organisation = Schemas["OrganisationResource"];

export function settingsQuery(clientId: string) {
  return queryOptions({
    queryKey: ["organisation", clientId, "settings"],
    queryFn: () => takeTagged(api.GET("/clients/{clientId}", { params: { path: { clientId } } })),
  });
}
