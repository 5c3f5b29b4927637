import { Collapsible } from "@base-ui/react/collapsible";
import { useInfiniteQuery } from "@tanstack/react-query";
import { ChevronRight, ScrollText } from "lucide-react";
import { Button } from "@/ui/Button";
import { Empty, Failed, Skeleton } from "@/ui/Page";
import { Tag } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { differences } from "./differences";
import { auditQuery, type AuditEvent, type AuditSearch } from "./queries";

/** Rows of the audit log; each opens to what changed. */
export function AuditList({ clientId, search }: { clientId: string; search: AuditSearch }) {
  const query = useInfiniteQuery(auditQuery(clientId, search));
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (query.isPending) return <Skeleton className="m-4 h-48" />;
  const events = query.data.pages.flatMap((page) => page.data);
  if (events.length === 0) {
    return (
      <Empty icon={ScrollText} title="Nothing is recorded">
        No change fits what is looked for.
      </Empty>
    );
  }
  return (
    <>
      <ul className="divide-y divide-line">
        {events.map((event) => (
          <Row key={event.auditId} event={event} />
        ))}
      </ul>
      {query.hasNextPage && (
        <div className="border-t border-line p-2 text-center">
          <Button
            small
            kind="quiet"
            busy={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            Show older rows
          </Button>
        </div>
      )}
    </>
  );
}

function Row({ event }: { event: AuditEvent }) {
  const { actor, action, resource, at, address, requestId } = event;
  return (
    <Collapsible.Root render={<li />}>
      <Collapsible.Trigger className="group flex w-full flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 text-left text-sm hover:bg-hover/60">
        <ChevronRight
          aria-hidden
          className="size-4 shrink-0 text-faint transition-transform group-data-panel-open:rotate-90"
        />
        <Tag mono>{action}</Tag>
        <span className="min-w-0 flex-1 truncate" dir="auto">
          {resource.name || resource.id}
        </span>
        <span className="truncate text-soft">{actor.name || actor.type}</span>
        <span className="text-xs text-soft">
          <Time at={at} />
        </span>
      </Collapsible.Trigger>
      <Collapsible.Panel className="flex flex-col gap-3 bg-sunken/50 px-4 pt-1 pb-4 sm:pl-11">
        <Diff event={event} />
        <p className="text-xs text-faint">
          {[
            address && `from ${address}`,
            actor.tokenId && `by token ${actor.tokenId}`,
            requestId && `request ${requestId}`,
          ]
            .filter(Boolean)
            .join(" · ")}
        </p>
      </Collapsible.Panel>
    </Collapsible.Root>
  );
}

function Diff({ event }: { event: AuditEvent }) {
  const rows = differences(event.before, event.after);
  if (rows.length === 0) return <p className="text-sm text-soft">No member changed.</p>;
  return (
    <div className="overflow-x-auto">
      <table className="w-full min-w-md table-fixed text-left text-xs">
        <thead className="text-soft">
          <tr>
            <th scope="col" className="w-1/4 py-1 font-medium">
              Member
            </th>
            <th scope="col" className="py-1 font-medium">
              Before
            </th>
            <th scope="col" className="py-1 font-medium">
              After
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line border-t border-line font-mono">
          {rows.map(({ member, before, after }) => (
            <tr key={member} className="align-top">
              <th scope="row" className="py-1.5 pr-3 font-medium break-words">
                {member}
              </th>
              <td className="py-1.5 pr-3 break-words">
                {before !== undefined && (
                  <del className="rounded-sm bg-bad-soft px-1 text-bad no-underline">
                    − {before}
                  </del>
                )}
              </td>
              <td className="py-1.5 break-words">
                {after !== undefined && (
                  <ins className="rounded-sm bg-ok-soft px-1 text-ok no-underline">+ {after}</ins>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
