/** What is loaded of one list that is sorted, newest first. */
export interface Shelf<T> {
  rows: T[];
  /** The list goes on. */
  hasMore: boolean;
}

interface Dated {
  notificationId: string;
  createdAt: string;
}

/**
 * Several lists as one, newest first. What is older than the end of a list that goes on is kept
 * back: something between may not be loaded yet. `behind` are the lists whose next page shows more.
 */
export function merged<T extends Dated>(shelves: Shelf<T>[]) {
  const ends = shelves.map(({ rows, hasMore }) =>
    hasMore ? (rows.at(-1)?.createdAt ?? "") : undefined,
  );
  const horizon = ends.reduce<string>((latest, end) => (end && end > latest ? end : latest), "");
  const byId = new Map(
    shelves.flatMap(({ rows }) => rows).map((row) => [row.notificationId, row] as const),
  );
  return {
    rows: [...byId.values()]
      .filter(({ createdAt }) => createdAt >= horizon)
      .sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1)),
    behind: ends.flatMap((end, index) => (end === horizon ? [index] : [])),
    hasMore: shelves.some(({ hasMore }) => hasMore),
  };
}
