/** What a list is asked for, as the page's address keeps it. */
export interface ListSearch {
  page?: number;
  limit?: 20 | 50 | 100;
  sort?: "name" | "createdAt";
  order?: "asc" | "desc";
  search?: string;
  region?: string;
  active?: boolean;
  label?: string;
}

/** What of an address makes sense. Written out: the first load has no other use for a parser. */
export function listSearch(raw: Record<string, unknown>): ListSearch {
  const { page, active } = raw;
  return {
    page: typeof page === "number" && Number.isInteger(page) && page > 0 ? page : undefined,
    limit: oneOf(raw.limit, [20, 50, 100]),
    sort: oneOf(raw.sort, ["name", "createdAt"]),
    order: oneOf(raw.order, ["asc", "desc"]),
    search: textOf(raw.search),
    region: textOf(raw.region),
    active: typeof active === "boolean" ? active : undefined,
    label: textOf(raw.label),
  };
}

export function oneOf<const T>(value: unknown, known: readonly T[]): T | undefined {
  return known.find((one) => one === value);
}

/** Addresses read `search=5` as a number. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

/** With what is asked for when the address says nothing: the newest first. */
export function listQuery(search: ListSearch) {
  return {
    page: search.page ?? 1,
    limit: search.limit ?? 20,
    sort: search.sort ?? "createdAt",
    order: search.order ?? (search.sort === "name" ? "asc" : "desc"),
    search: search.search,
    region: search.region,
    label: search.label === undefined ? undefined : [search.label],
  } as const;
}

/** The address after somebody sorts by `column`: again turns the order round. */
export function sortedBy(search: ListSearch, column: "name" | "createdAt"): ListSearch {
  const { sort, order } = listQuery(search);
  const isSame = sort === column;
  const next = isSame ? (order === "asc" ? "desc" : "asc") : column === "name" ? "asc" : "desc";
  return { ...search, sort: column, order: next, page: undefined };
}

/** Another selection begins on its first page. */
export function narrowed(search: ListSearch, change: ListSearch): ListSearch {
  return { ...search, ...change, page: undefined };
}
