import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { textOf } from "@/api/problem";
import { cx } from "@/ui/cx";
import { Skeleton } from "@/ui/Page";
import { ago } from "@/lib/time";
import { SeverityMark } from "./SeverityMark";
import { newestQuery } from "./queries";

interface NewestProps {
  clientId: string;
  limit: number;
  /** One of them is gone to. */
  onFollow?: () => void;
}

/** The newest of all lists, each a link to itself. */
export function Newest({ clientId, limit, onFollow }: NewestProps) {
  const { data, error, dataUpdatedAt } = useQuery(newestQuery(clientId, limit));
  if (error) return <p className="p-4 text-sm text-bad">{textOf(error)}</p>;
  if (!data) return <Skeleton className="m-4 h-24" />;
  if (data.length === 0) {
    return <p className="px-4 py-6 text-center text-sm text-soft">There is nothing to tell.</p>;
  }
  return (
    <ul className="divide-y divide-line">
      {data.map((one) => (
        <li key={one.notificationId}>
          <Link
            to="/o/$clientId/notifications"
            params={{ clientId }}
            search={{ open: `${one.type}:${one.notificationId}` }}
            onClick={onFollow}
            className="flex items-start gap-2.5 px-4 py-2.5 text-sm hover:bg-hover/60"
          >
            <SeverityMark severity={one.severity} />
            <span className="min-w-0 flex-1">
              <span className={cx("block truncate", !one.read && "font-semibold")} dir="auto">
                {one.title}
              </span>
              <span className="block truncate text-xs text-soft" dir="auto">
                {one.message}
              </span>
            </span>
            <time dateTime={one.createdAt} className="shrink-0 text-xs text-soft">
              {ago(one.createdAt, dataUpdatedAt)}
            </time>
            {!one.read && <span className="sr-only">Not read</span>}
          </Link>
        </li>
      ))}
    </ul>
  );
}
