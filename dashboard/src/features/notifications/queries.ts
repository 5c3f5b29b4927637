/** Three lists, of the organisation, of oneself and of everybody, asked for alike. */
import { infiniteQueryOptions, queryOptions, useQueryClient } from "@tanstack/react-query";
import { api, take, type Schemas } from "@/api/client";
import { WHOSE, type NotificationSearch, type Whose } from "./search";

export type Notification = Schemas["NotificationResource"];
export type Preferences = Schemas["NotificationPreferences"];
type Page = Schemas["Listed_NotificationResource"];

interface ListQuery {
  unread?: boolean;
  search?: string;
  page?: number;
  limit: number;
}

const ALL = ["notifications"];
const PAGE = 50;
const OFTEN_MS = 30_000;

function list(clientId: string, whose: Whose, query: ListQuery): Promise<Page> {
  const params = { query: { ...query, sort: "createdAt", order: "desc" } as const };
  if (whose === "user") return take(api.GET("/users/me/notifications", { params }));
  if (whose === "system") return take(api.GET("/notifications/system", { params }));
  const inside = { ...params, path: { clientId } };
  return take(api.GET("/clients/{clientId}/notifications", { params: inside }));
}

export function notificationsQuery(
  clientId: string,
  whose: Whose,
  { unread, search }: NotificationSearch,
) {
  return infiniteQueryOptions({
    queryKey: [...ALL, clientId, whose, "list", { unread, search }],
    queryFn: ({ pageParam }) =>
      list(clientId, whose, { unread, search, page: pageParam, limit: PAGE }),
    initialPageParam: 1,
    getNextPageParam: ({ pagination: { page, pages } }) => (page < pages ? page + 1 : undefined),
    refetchInterval: OFTEN_MS,
  });
}

/** The newest of all lists together. */
export function newestQuery(clientId: string, limit: number) {
  return queryOptions({
    queryKey: [...ALL, clientId, "newest", limit],
    queryFn: async () => {
      const pages = await Promise.all(WHOSE.map((whose) => list(clientId, whose, { limit })));
      return pages
        .flatMap(({ data }) => data)
        .sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1))
        .slice(0, limit);
    },
    refetchInterval: OFTEN_MS,
  });
}

/** How many of each list are not read. */
export function unreadQuery(clientId: string) {
  return queryOptions({
    queryKey: [...ALL, clientId, "unread"],
    queryFn: async () => {
      const pages = await Promise.all(
        WHOSE.map((whose) => list(clientId, whose, { unread: true, limit: 1 })),
      );
      const [client, user, system] = pages.map(({ pagination }) => pagination.total);
      return { client: client ?? 0, user: user ?? 0, system: system ?? 0 };
    },
    refetchInterval: OFTEN_MS,
  });
}

/** One of them; who asks for it has read it. */
export function notificationQuery(clientId: string, whose: Whose, notificationId: string) {
  return queryOptions({
    queryKey: [...ALL, clientId, whose, notificationId],
    queryFn: () => {
      const path = { notificationId };
      if (whose === "user")
        return take(api.GET("/users/me/notifications/{notificationId}", { params: { path } }));
      if (whose === "system")
        return take(api.GET("/notifications/system/{notificationId}", { params: { path } }));
      const params = { path: { clientId, notificationId } };
      return take(api.GET("/clients/{clientId}/notifications/{notificationId}", { params }));
    },
  });
}

function mark(clientId: string, { type, notificationId }: Notification, read: boolean) {
  const path = { notificationId };
  const body = { read };
  if (type === "user")
    return take(api.PATCH("/users/me/notifications/{notificationId}", { params: { path }, body }));
  if (type === "system")
    return take(api.PATCH("/notifications/system/{notificationId}", { params: { path }, body }));
  const params = { path: { clientId, notificationId } };
  return take(api.PATCH("/clients/{clientId}/notifications/{notificationId}", { params, body }));
}

function readAll(clientId: string, whose: Whose) {
  if (whose === "user") return take(api.POST("/users/me/notifications/read-all"));
  if (whose === "system") return take(api.POST("/notifications/system/read-all"));
  const params = { path: { clientId } };
  return take(api.POST("/clients/{clientId}/notifications/read-all", { params }));
}

export function useNotificationWrites(clientId: string) {
  const queries = useQueryClient();
  const changed = () => queries.invalidateQueries({ queryKey: ALL });
  return {
    changed,
    mark: async (notification: Notification, read: boolean) => {
      await mark(clientId, notification, read);
      await changed();
    },
    readAll: async (lists: readonly Whose[]) => {
      await Promise.all(lists.map((whose) => readAll(clientId, whose)));
      await changed();
    },
  };
}

export const preferencesQuery = queryOptions({
  queryKey: ["notification-preferences"],
  queryFn: () => take(api.GET("/users/me/notification-preferences")),
});

export async function savePreferences(body: Preferences): Promise<void> {
  await take(api.PUT("/users/me/notification-preferences", { body }));
}
