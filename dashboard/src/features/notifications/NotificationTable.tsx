import { BellOff, SearchX } from "lucide-react";
import { useMemo } from "react";
import { DataTable, type Column } from "@/table/DataTable";
import { Button } from "@/ui/Button";
import { cx } from "@/ui/cx";
import { Empty, Failed, Skeleton } from "@/ui/Page";
import { Pill, Tag } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { tellFailure } from "@/ui/Toasts";
import { useNotificationWrites, type Notification } from "./queries";
import { oneOf } from "@/table/search";
import { WHOSE } from "./search";
import type { useShelves } from "./useShelves";
import { SEVERITIES, WHOSE_WORDS } from "./words";

interface NotificationTableProps {
  clientId: string;
  shelves: ReturnType<typeof useShelves>;
  isNarrowed: boolean;
  onOpen: (notification: Notification) => void;
  onClear: () => void;
}

export function NotificationTable(props: NotificationTableProps) {
  const { clientId, shelves, isNarrowed, onOpen, onClear } = props;
  const { mark } = useNotificationWrites(clientId);
  const columns = useMemo(
    () => columnsOf(onOpen, (one) => void mark(one, !one.read).catch(tellFailure)),
    [onOpen, mark],
  );
  if (shelves.error) return <Failed error={shelves.error} retry={shelves.retry} />;
  if (shelves.isPending) return <Skeleton className="m-4 h-64" />;
  if (shelves.rows.length === 0) {
    return isNarrowed ? (
      <Empty
        icon={SearchX}
        title="Nothing matches"
        action={<Button onClick={onClear}>Clear search and filters</Button>}
      >
        No notification fits what the search and the filters ask for.
      </Empty>
    ) : (
      <Empty icon={BellOff} title="Nothing to tell">
        When a meter nears its limit, a credential ends or a target stops answering, it is said
        here.
      </Empty>
    );
  }
  return (
    <>
      <DataTable
        label="Notifications"
        rows={shelves.rows}
        columns={columns}
        idOf={(one) => one.notificationId}
      />
      {shelves.hasMore && (
        <div className="border-t border-line p-2 text-center">
          <Button small kind="quiet" busy={shelves.isFetchingMore} onClick={shelves.more}>
            Show older ones
          </Button>
        </div>
      )}
    </>
  );
}

function columnsOf(
  onOpen: (one: Notification) => void,
  onMark: (one: Notification) => void,
): Column<Notification>[] {
  return [
    {
      id: "type",
      title: "Type",
      wide: true,
      cell: ({ type }) => <Tag>{WHOSE_WORDS[oneOf(type, WHOSE) ?? "system"]}</Tag>,
    },
    {
      id: "title",
      title: "Title",
      cell: (one) => (
        <button
          type="button"
          dir="auto"
          onClick={() => onOpen(one)}
          className={cx(
            "block max-w-[16rem] truncate text-left hover:underline lg:max-w-sm",
            !one.read && "font-semibold",
          )}
        >
          {one.title}
        </button>
      ),
    },
    {
      id: "preview",
      title: "Preview",
      wide: true,
      cell: ({ message }) => (
        <span className="block max-w-48 truncate text-soft xl:max-w-xs" dir="auto">
          {message}
        </span>
      ),
    },
    {
      id: "date",
      title: "Date",
      cell: ({ createdAt }) => (
        <span className="whitespace-nowrap">
          <Time at={createdAt} />
        </span>
      ),
    },
    {
      id: "status",
      title: "Status",
      cell: ({ severity, read }) => (
        <span className="flex items-center gap-2 whitespace-nowrap">
          <Pill tone={SEVERITIES[severity].tone}>{SEVERITIES[severity].text}</Pill>
          <span className="hidden text-xs text-soft md:inline">{read ? "Read" : "Not read"}</span>
        </span>
      ),
    },
    {
      id: "actions",
      title: "Actions",
      wide: true,
      right: true,
      cell: (one) => (
        <Button small kind="quiet" onClick={() => onMark(one)}>
          {one.read ? "Mark unread" : "Mark read"}
        </Button>
      ),
    },
  ];
}
