import { keepPreviousData, type UseQueryResult } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight, Search, SearchX, X } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { Button } from "@/ui/Button";
import { Empty, Failed, Skeleton } from "@/ui/Page";
import { Select, type Option } from "@/ui/Select";
import { DataTable, type Column, type Selection } from "./DataTable";
import { listQuery, narrowed, sortedBy, type ListSearch } from "./search";

export const whileNext = { placeholderData: keepPreviousData };

interface Listed<T> {
  data: T[];
  pagination: { page: number; pages: number; limit: number; total: number };
}

interface ListFrameProps<T> {
  label: string;
  query: UseQueryResult<Listed<T>>;
  columns: Column<T>[];
  idOf: (row: T) => string;
  search: ListSearch;
  onSearch: (next: ListSearch) => void;
  /** What is shown when there is nothing at all. */
  empty: ReactNode;
  regions?: string[];
  byActive?: boolean;
  selection?: Selection;
  /** For what is selected. */
  bulk?: ReactNode;
}

/** A list of the server: search, filters, order and page are in the address. */
export function ListFrame<T extends object>(props: ListFrameProps<T>) {
  const { label, query, search, onSearch, empty, selection } = props;
  const { sort, order } = listQuery(search);
  const isNarrowed =
    !!search.search || !!search.region || !!search.label || search.active !== undefined;
  const isEmpty = query.data?.pagination.total === 0;
  if (isEmpty && !isNarrowed) {
    return <div className="rounded-lg border border-line bg-surface">{empty}</div>;
  }
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-surface">
      <Filters {...props} isNarrowed={isNarrowed} />
      {query.isError ? (
        <Failed error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <Rows />
      ) : isEmpty ? (
        <Empty
          icon={SearchX}
          title="Nothing matches"
          action={<Button onClick={() => onSearch({})}>Clear search and filters</Button>}
        >
          No entry fits what the search and the filters ask for.
        </Empty>
      ) : (
        <>
          <DataTable
            label={label}
            rows={query.data.data}
            columns={props.columns}
            idOf={props.idOf}
            selection={selection}
            stale={query.isPlaceholderData}
            sorting={{ by: sort, order, onSort: (by) => onSearch(sortedBy(search, by)) }}
          />
          <Pages pagination={query.data.pagination} search={search} onSearch={onSearch} />
        </>
      )}
    </div>
  );
}

function Filters<T>(props: ListFrameProps<T> & { isNarrowed: boolean }) {
  const { label, search, onSearch, regions, byActive, selection, bulk, isNarrowed } = props;
  if (selection && selection.ids.size > 0) {
    return (
      <div className="flex min-h-12 flex-wrap items-center gap-2 border-b border-line bg-accent-soft px-4 py-2 text-sm">
        <span className="mr-2 font-medium tabular">{selection.ids.size} selected</span>
        {bulk}
        <Button small kind="quiet" onClick={() => selection.onChange(new Set())}>
          Clear
        </Button>
      </div>
    );
  }
  const any = "any";
  const options = (all: string, values: Option[]) => [{ value: any, label: all }, ...values];
  return (
    <div className="flex min-h-12 flex-wrap items-center gap-2 border-b border-line px-4 py-2">
      <SearchBox
        label={`Search ${label.toLowerCase()}`}
        text={search.search ?? ""}
        onText={(text) => onSearch(narrowed(search, { search: text === "" ? undefined : text }))}
      />
      {regions && regions.length > 0 && (
        <Select
          small
          label="Region"
          className="w-36"
          value={search.region ?? any}
          options={options(
            "All regions",
            regions.map((value) => ({ value, label: value })),
          )}
          onChange={(value) =>
            onSearch(narrowed(search, { region: value === any ? undefined : value }))
          }
        />
      )}
      {byActive && (
        <Select
          small
          label="Status"
          className="w-32"
          value={search.active === undefined ? any : search.active ? "on" : "off"}
          options={options("Any status", [
            { value: "on", label: "Active" },
            { value: "off", label: "Inactive" },
          ])}
          onChange={(value) =>
            onSearch(narrowed(search, { active: value === any ? undefined : value === "on" }))
          }
        />
      )}
      {isNarrowed && (
        <Button
          small
          kind="quiet"
          onClick={() => onSearch({ sort: search.sort, order: search.order })}
        >
          <X aria-hidden className="size-3.5" /> Clear
        </Button>
      )}
    </div>
  );
}

/** Asks a moment after the last key. */
export function SearchBox({
  label,
  text,
  onText,
}: {
  label: string;
  text: string;
  onText: (text: string) => void;
}) {
  const [typed, setTyped] = useState(text);
  const [shown, setShown] = useState(text);
  if (shown !== text) {
    // The address changed by itself: back, or a filter that was cleared.
    setShown(text);
    setTyped(text);
  }
  useEffect(() => {
    if (typed === text) return;
    const timer = setTimeout(() => onText(typed), 250);
    return () => clearTimeout(timer);
  }, [typed, text, onText]);
  return (
    <label className="relative min-w-40 flex-1 sm:max-w-72">
      <Search aria-hidden className="absolute top-1.5 left-2 size-4 text-faint" />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        className="field-box h-7 pl-7.5 text-xs"
      />
    </label>
  );
}

function Pages({
  pagination,
  search,
  onSearch,
}: {
  pagination: Listed<unknown>["pagination"];
  search: ListSearch;
  onSearch: (next: ListSearch) => void;
}) {
  const { page, pages, limit, total } = pagination;
  const first = (page - 1) * limit + 1;
  const sizes = [20, 50, 100] as const;
  return (
    <div className="flex flex-wrap items-center justify-between gap-2 border-t border-line px-4 py-2 text-xs text-soft tabular">
      <span>
        {first}–{Math.min(first + limit - 1, total)} of {total}
      </span>
      <div className="flex items-center gap-1.5">
        <Select
          small
          label="Rows on a page"
          className="w-28"
          value={String(limit)}
          options={sizes.map((size) => ({ value: String(size), label: `${size} rows` }))}
          onChange={(value) =>
            onSearch(narrowed(search, { limit: sizes.find((size) => String(size) === value) }))
          }
        />
        <Button
          small
          aria-label="Previous page"
          disabled={page <= 1}
          onClick={() => onSearch({ ...search, page: page - 1 })}
        >
          <ChevronLeft aria-hidden className="size-3.5" />
        </Button>
        <Button
          small
          aria-label="Next page"
          disabled={page >= pages}
          onClick={() => onSearch({ ...search, page: page + 1 })}
        >
          <ChevronRight aria-hidden className="size-3.5" />
        </Button>
      </div>
    </div>
  );
}

function Rows() {
  return (
    <div aria-busy className="flex flex-col gap-2 p-4">
      {Array.from({ length: 6 }, (_, row) => (
        <Skeleton key={row} className="h-8" />
      ))}
    </div>
  );
}
