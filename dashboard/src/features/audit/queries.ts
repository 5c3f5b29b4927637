import { infiniteQueryOptions } from "@tanstack/react-query";
import { api, take, type Schemas } from "@/api/client";
import { textOf } from "@/table/search";

export type AuditEvent = Schemas["AuditEvent"];

/** Which rows are looked for, as the page's address keeps it. */
export interface AuditSearch {
  action?: string;
  resourceType?: string;
  resourceId?: string;
  actor?: string;
}

export function auditSearch(raw: Record<string, unknown>): AuditSearch {
  return {
    action: textOf(raw.action),
    resourceType: textOf(raw.resourceType),
    resourceId: textOf(raw.resourceId),
    actor: textOf(raw.actor),
  };
}

const PAGE = 50;

export function auditQuery(clientId: string, search: AuditSearch) {
  return infiniteQueryOptions({
    queryKey: ["organisation", clientId, "audit", search],
    queryFn: async ({ pageParam, signal }) => {
      const query = { ...search, limit: PAGE, cursor: pageParam };
      const params = { path: { clientId }, query };
      const answer = await take(api.GET("/clients/{clientId}/audit", { params, signal }));
      // The same path also answers lines, to those who ask for them.
      if (typeof answer === "string") throw new Error("lines came where a page was asked for");
      return answer;
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ pagination }) => pagination.nextCursor ?? undefined,
  });
}

/** All rows that are looked for, a row a line, the oldest first; of a whole log also what signs it. */
export async function exportOf(clientId: string, search: AuditSearch): Promise<Blob> {
  const params = { path: { clientId }, query: search };
  const headers = { Accept: "application/x-ndjson" };
  return take(api.GET("/clients/{clientId}/audit", { params, headers, parseAs: "blob" }));
}

/** Follows the log from its first row to its last. */
export function verdictOf(clientId: string) {
  return take(api.GET("/clients/{clientId}/audit/verify", { params: { path: { clientId } } }));
}
