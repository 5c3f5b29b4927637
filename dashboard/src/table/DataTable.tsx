import { createColumnHelper, tableFeatures, useTable } from "@tanstack/react-table";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useMemo, type ReactNode } from "react";
import { Checkbox } from "@/ui/Checkbox";
import { cx } from "@/ui/cx";

export interface Column<T> {
  id: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** By which the API can sort it. */
  sort?: "name" | "createdAt";
  /** Left out on narrow screens. */
  wide?: boolean;
  right?: boolean;
}

export interface Sorting {
  by: string;
  order: "asc" | "desc";
  onSort: (column: "name" | "createdAt") => void;
}

export interface Selection {
  ids: ReadonlySet<string>;
  onChange: (ids: Set<string>) => void;
}

interface DataTableProps<T> {
  label: string;
  rows: T[];
  columns: Column<T>[];
  idOf: (row: T) => string;
  sorting?: Sorting;
  selection?: Selection;
  /** Older rows while newer ones are on their way. */
  stale?: boolean;
}

const features = tableFeatures({});

export function DataTable<T extends object>(props: DataTableProps<T>) {
  const { label, rows, columns, idOf, sorting, selection, stale } = props;
  const defined = useMemo(() => {
    const helper = createColumnHelper<typeof features, T>();
    return helper.columns(
      columns.map((column) =>
        helper.display({
          id: column.id,
          header: column.title,
          cell: ({ row }) => column.cell(row.original),
        }),
      ),
    );
  }, [columns]);
  const table = useTable({ features, data: rows, columns: defined, getRowId: idOf });
  const byId = new Map(columns.map((column) => [column.id, column]));
  const toggle = (ids: string[], on: boolean) => {
    const next = new Set(selection?.ids);
    ids.forEach((id) => (on ? next.add(id) : next.delete(id)));
    selection?.onChange(next);
  };
  const all = rows.map(idOf);
  const chosen = all.filter((id) => selection?.ids.has(id)).length;
  return (
    <div className={cx("overflow-x-auto transition-opacity", stale && "opacity-60")}>
      <table aria-label={label} className="w-full border-collapse text-left text-sm">
        <thead className="border-b border-line bg-sunken/60 text-xs text-soft">
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {selection && (
                <th scope="col" className="w-9 py-2 pl-4">
                  <Checkbox
                    bare
                    label="All on this page"
                    checked={chosen === all.length && chosen > 0}
                    some={chosen > 0 && chosen < all.length}
                    onChange={(on) => toggle(all, on)}
                  />
                </th>
              )}
              {group.headers.map((header) => {
                const column = byId.get(header.column.id);
                return column && <Heading key={header.id} column={column} sorting={sorting} />;
              })}
            </tr>
          ))}
        </thead>
        <tbody className="divide-y divide-line">
          {table.getRowModel().rows.map((row) => (
            <tr key={row.id} className="group hover:bg-hover/60">
              {selection && (
                <td className="py-2 pl-4">
                  <Checkbox
                    bare
                    label={`Select ${row.id}`}
                    checked={selection.ids.has(row.id)}
                    onChange={(on) => toggle([row.id], on)}
                  />
                </td>
              )}
              {row.getAllCells().map((cell) => (
                <td
                  key={cell.id}
                  className={cx("h-10 py-1.5", cellClass(byId.get(cell.column.id)))}
                >
                  <table.FlexRender cell={cell} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Heading<T>({ column, sorting }: { column: Column<T>; sorting?: Sorting }) {
  const { sort, title } = column;
  const isSorted = sorting !== undefined && sort === sorting.by;
  const order = isSorted ? sorting.order : undefined;
  const Arrow = order === "asc" ? ArrowUp : ArrowDown;
  return (
    <th
      scope="col"
      aria-sort={order && (order === "asc" ? "ascending" : "descending")}
      className={cx("py-2 font-medium whitespace-nowrap", cellClass(column))}
    >
      {sort && sorting ? (
        <button
          type="button"
          className="inline-flex items-center gap-1 hover:text-ink"
          onClick={() => sorting.onSort(sort)}
        >
          {title}
          <Arrow aria-hidden className={cx("size-3", !isSorted && "opacity-0")} />
        </button>
      ) : (
        title
      )}
    </th>
  );
}

function cellClass<T>(column: Column<T> | undefined): string {
  return cx(
    "px-3 first:pl-4 last:pr-4",
    column?.wide && "hidden md:table-cell",
    column?.right && "text-right",
  );
}
