/** Who is signed in, what they belong to, and what they are. */
import { queryOptions } from "@tanstack/react-query";
import { api, take } from "./client";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: () => take(api.GET("/session")),
  staleTime: 60_000,
  retry: false,
});

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: () => take(api.GET("/users/me")),
});

export const organisationsQuery = queryOptions({
  queryKey: ["organisations"],
  queryFn: () =>
    take(api.GET("/clients", { params: { query: { limit: 100, sort: "name", order: "asc" } } })),
});

export function organisationQuery(clientId: string) {
  return queryOptions({
    queryKey: ["organisation", clientId],
    queryFn: () => take(api.GET("/clients/{clientId}", { params: { path: { clientId } } })),
  });
}

export const regionsQuery = queryOptions({
  queryKey: ["regions"],
  queryFn: () =>
    take(api.GET("/regions", { params: { query: { limit: 100, sort: "name", order: "asc" } } })),
  refetchInterval: 30_000,
});
