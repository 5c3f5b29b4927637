import { Popover } from "@base-ui/react/popover";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Bell as Icon } from "lucide-react";
import { useState } from "react";
import { count } from "@/lib/numbers";
import { Button, buttonClass } from "@/ui/Button";
import { tellFailure } from "@/ui/Toasts";
import { Newest } from "./Newest";
import { unreadQuery, useNotificationWrites } from "./queries";
import { WHOSE } from "./search";

const PREVIEW = 6;

/** How much is not read yet, and the newest of it. */
export function Bell({ clientId }: { clientId: string }) {
  const [isOpen, setOpen] = useState(false);
  const { data } = useQuery(unreadQuery(clientId));
  const { readAll } = useNotificationWrites(clientId);
  const unread = data ? data.client + data.user + data.system : 0;
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger
        aria-label={unread === 0 ? "Notifications" : `Notifications: ${count(unread)} not read`}
        className="relative grid size-8 place-items-center rounded-md text-soft hover:bg-hover hover:text-ink"
      >
        <Icon aria-hidden className="size-4" />
        {unread > 0 && (
          <span
            aria-hidden
            className="absolute -top-0.5 -right-1 min-w-4 rounded-full bg-accent px-1 text-center text-[10px]/4 font-semibold text-surface tabular"
          >
            {unread > 99 ? "99+" : unread}
          </span>
        )}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Positioner sideOffset={6} align="end" className="z-50">
          <Popover.Popup className="flex max-h-[min(32rem,80vh)] w-[min(24rem,calc(100vw-2rem))] flex-col rounded-lg border border-line bg-surface shadow-lift outline-none">
            <div className="flex items-center justify-between gap-2 border-b border-line py-1.5 pr-2 pl-4">
              <Popover.Title className="text-sm font-semibold">Notifications</Popover.Title>
              <Button
                small
                kind="quiet"
                disabled={unread === 0}
                onClick={() => void readAll(WHOSE).catch(tellFailure)}
              >
                Mark all read
              </Button>
            </div>
            <div className="min-h-0 flex-1 overflow-y-auto">
              <Newest clientId={clientId} limit={PREVIEW} onFollow={() => setOpen(false)} />
            </div>
            <div className="border-t border-line p-2 text-center">
              <Link
                to="/o/$clientId/notifications"
                params={{ clientId }}
                onClick={() => setOpen(false)}
                className={buttonClass("quiet", true)}
              >
                Show all
              </Link>
            </div>
          </Popover.Popup>
        </Popover.Positioner>
      </Popover.Portal>
    </Popover.Root>
  );
}
