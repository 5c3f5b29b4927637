import { duration } from "@/lib/numbers";
import { Method, StatusCode } from "@/ui/codes";
import { cx } from "@/ui/cx";
import { Time } from "@/ui/Time";
import type { RequestRecord } from "./queries";

interface RequestTableProps {
  records: RequestRecord[];
  open: string | undefined;
  onOpen: (requestId: string) => void;
}

export function RequestTable({ records, open, onOpen }: RequestTableProps) {
  return (
    <div className="overflow-x-auto">
      <table aria-label="Calls" className="w-full border-collapse text-left text-sm">
        <thead className="border-b border-line bg-sunken/60 text-xs text-soft">
          <tr>
            <th scope="col" className="py-2 pl-4 font-medium">
              Status
            </th>
            <th scope="col" className="px-3 py-2 font-medium">
              Method
            </th>
            <th scope="col" className="px-3 py-2 font-medium">
              Path
            </th>
            <th scope="col" className="hidden px-3 py-2 font-medium md:table-cell">
              Result
            </th>
            <th scope="col" className="px-3 py-2 text-right font-medium">
              Took
            </th>
            <th scope="col" className="py-2 pr-4 text-right font-medium">
              When
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {records.map((record) => (
            <tr
              key={record.requestId}
              onClick={() => onOpen(record.requestId)}
              className={cx(
                "cursor-pointer hover:bg-hover/60",
                record.requestId === open && "bg-hover",
              )}
            >
              <td className="h-9 pl-4">
                <StatusCode status={record.status} />
              </td>
              <td className="px-3">
                <Method method={record.method} />
              </td>
              <td className="max-w-0 min-w-32 px-3 md:w-1/2">
                <button
                  type="button"
                  className="block w-full truncate text-left font-mono text-xs hover:underline"
                  title={record.path}
                  dir="ltr"
                  onClick={(event) => {
                    event.stopPropagation();
                    onOpen(record.requestId);
                  }}
                >
                  {record.path}
                </button>
              </td>
              <td className="hidden px-3 font-mono text-xs text-soft md:table-cell">
                {record.code ?? "–"}
              </td>
              <td className="px-3 text-right text-xs whitespace-nowrap tabular">
                {duration(record.durationMs)}
              </td>
              <td className="pr-4 text-right text-xs whitespace-nowrap">
                <Time at={record.completedAt} empty="–" />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
