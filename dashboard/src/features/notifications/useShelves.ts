import { useInfiniteQuery } from "@tanstack/react-query";
import { merged } from "./merge";
import { notificationsQuery } from "./queries";
import { WHOSE, type NotificationSearch, type Whose } from "./search";

/** The lists that are looked for, as one. */
export function useShelves(clientId: string, search: NotificationSearch) {
  const shown: readonly Whose[] = search.whose ? [search.whose] : WHOSE;
  const queries = [
    useShelf(clientId, "client", search),
    useShelf(clientId, "user", search),
    useShelf(clientId, "system", search),
  ].filter((_, index) => shown.includes(WHOSE[index] ?? "client"));
  const failed = queries.find((query) => query.isError);
  const { rows, behind, hasMore } = merged(
    queries.map(({ data, hasNextPage }) => ({
      rows: data?.pages.flatMap((page) => page.data) ?? [],
      hasMore: hasNextPage,
    })),
  );
  return {
    shown,
    rows,
    hasMore,
    isPending: queries.some((query) => query.isPending),
    isFetchingMore: queries.some((query) => query.isFetchingNextPage),
    error: failed?.error,
    retry: () => queries.forEach((query) => void query.refetch()),
    more: () => behind.forEach((index) => void queries[index]?.fetchNextPage()),
  };
}

function useShelf(clientId: string, whose: Whose, search: NotificationSearch) {
  const isShown = search.whose === undefined || search.whose === whose;
  return useInfiniteQuery({ ...notificationsQuery(clientId, whose, search), enabled: isShown });
}
