import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api, take, type Schemas } from "@/api/client";
import { requestQuery, type RequestSearch } from "./search";

export type RequestRecord = Schemas["RequestRecord"];

const LIST = "/clients/{clientId}/proxies/{proxyId}/requests";
const PAGE = 50;

interface Place {
  clientId: string;
  proxyId: string;
}

export function requestsQuery(path: Place, search: RequestSearch) {
  const selection = requestQuery(search);
  return infiniteQueryOptions({
    queryKey: ["organisation", path.clientId, "requests", path.proxyId, selection],
    queryFn: async ({ pageParam, signal }) => {
      const query = { ...selection, limit: PAGE, cursor: pageParam };
      // The same path also answers lines, to those who ask for them.
      return pageOf(await take(api.GET(LIST, { params: { path, query }, signal })));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ pagination }) => pagination.nextCursor ?? undefined,
  });
}

function pageOf(answer: Schemas["RequestRecords"] | string): Schemas["RequestRecords"] {
  if (typeof answer === "string") throw new Error("lines came where a page was asked for");
  return answer;
}

export function requestRecordQuery(place: Place, requestId: string) {
  const path = { ...place, requestId };
  return queryOptions({
    queryKey: ["organisation", place.clientId, "request", requestId],
    queryFn: () => take(api.GET(`${LIST}/{requestId}`, { params: { path } })),
    staleTime: Infinity,
  });
}

export function explanationQuery(place: Place, requestId: string) {
  const path = { ...place, requestId };
  return queryOptions({
    queryKey: ["organisation", place.clientId, "request", requestId, "explanation"],
    queryFn: () => take(api.GET(`${LIST}/{requestId}/explain`, { params: { path } })),
    staleTime: Infinity,
  });
}

/** Where calls are told as they end. */
export function tailAddress({ clientId, proxyId }: Place, search: RequestSearch): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(requestQuery(search))) {
    if (value !== undefined) query.set(name, String(value));
  }
  return `/clients/${clientId}/proxies/${proxyId}/requests/tail?${query.toString()}`;
}
