import { queryOptions } from "@tanstack/react-query";
import { api, take } from "@/api/client";

/** How somebody may sign in here. */
export const methodsQuery = queryOptions({
  queryKey: ["session", "methods"],
  queryFn: () => take(api.GET("/session/methods")),
  staleTime: Number.POSITIVE_INFINITY,
});
