import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { Button, buttonClass } from "@/ui/Button";
import { Drawer } from "@/ui/Dialog";
import { Failed, Skeleton } from "@/ui/Page";
import { Pill } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { tellFailure } from "@/ui/Toasts";
import { notificationQuery, useNotificationWrites } from "./queries";
import { opened } from "./search";
import { SEVERITIES, subjectLink } from "./words";

interface NotificationDrawerProps {
  clientId: string;
  /** `WHOSE:ID` of the one that is open. */
  open: string | undefined;
  onClose: () => void;
}

/** One notification in full; who opens it has read it. */
export function NotificationDrawer({ clientId, open, onClose }: NotificationDrawerProps) {
  const which = opened(open);
  const query = useQuery({
    ...notificationQuery(clientId, which?.whose ?? "client", which?.id ?? ""),
    enabled: which !== undefined,
    staleTime: Infinity,
  });
  const { mark, changed } = useNotificationWrites(clientId);
  const shown = which && query.data;
  // The lists still have it as it was before it was read.
  const id = shown?.notificationId;
  useEffect(() => {
    if (id !== undefined) void changed();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- once for each that is opened
  }, [id]);
  const link = shown && subjectLink(clientId, shown.resource);
  return (
    <Drawer
      open={which !== undefined}
      onClose={onClose}
      title={shown?.title ?? "Notification"}
      about={
        shown && (
          <span className="flex items-center gap-3">
            <Pill tone={SEVERITIES[shown.severity].tone}>{SEVERITIES[shown.severity].text}</Pill>
            <Time at={shown.createdAt} />
          </span>
        )
      }
    >
      {query.isError ? (
        <Failed error={query.error} retry={() => void query.refetch()} />
      ) : !shown ? (
        <Skeleton className="h-24" />
      ) : (
        <div className="flex flex-col gap-5">
          <p className="text-sm break-words whitespace-pre-line" dir="auto">
            {shown.message}
          </p>
          <div className="flex flex-wrap gap-2">
            {link && (
              <Link {...link} className={buttonClass("primary")}>
                Show what it is about
              </Link>
            )}
            <Button
              onClick={() => {
                mark(shown, false).catch(tellFailure);
                onClose();
              }}
            >
              Mark unread
            </Button>
          </div>
        </div>
      )}
    </Drawer>
  );
}
