import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Radio, ScrollText, SearchX } from "lucide-react";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Notice";
import { Empty, Failed, Skeleton } from "@/ui/Page";
import { Pill } from "@/ui/Status";
import { count } from "@/lib/numbers";
import { requestsQuery, tailAddress, type RequestRecord } from "./queries";
import { RequestDrawer } from "./RequestDrawer";
import { RequestFilters } from "./RequestFilters";
import { RequestTable } from "./RequestTable";
import type { RequestSearch } from "./search";
import { useTail } from "./useTail";

const route = getRouteApi("/in/o/$clientId/proxies/$proxyId/requests");
const LINES = {
  connecting: { tone: "warn", text: "Connecting" },
  open: { tone: "ok", text: "Live" },
  lost: { tone: "bad", text: "Not live: the region cannot be reached" },
} as const;

/** What passed through a proxy, as it passes. */
export function RequestsTab() {
  const place = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const go = (next: RequestSearch) => void navigate({ search: next, replace: true });
  const query = useInfiniteQuery(requestsQuery(place, search));
  const tail = useTail(search.live ? tailAddress(place, search) : undefined);
  const pages = query.data?.pages ?? [];
  const records = merged(
    tail.records,
    pages.flatMap((page) => page.data),
  );
  const completeness = pages[0]?.completeness;
  const isNarrowed = !!(
    search.status ??
    search.method ??
    search.path ??
    search.code ??
    search.denied
  );
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-surface">
      <div className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2">
        <RequestFilters search={search} onSearch={go} />
        <div className="flex flex-1 items-center justify-end gap-2">
          {search.live && <Pill tone={LINES[tail.line].tone}>{LINES[tail.line].text}</Pill>}
          <Button
            small
            aria-pressed={search.live ?? false}
            onClick={() => go({ ...search, live: search.live ? undefined : true })}
          >
            <Radio aria-hidden className="size-3.5" />
            {search.live ? "Stop" : "Follow live"}
          </Button>
          {!search.live && (
            <Button small busy={query.isFetching} onClick={() => void query.refetch()}>
              Refresh
            </Button>
          )}
        </div>
      </div>
      {completeness && completeness.lost > 0 && (
        <div className="border-b border-line p-3">
          <Notice tone="warn">
            Records of {count(completeness.lost)} calls of this region are missing in this time.
          </Notice>
        </div>
      )}
      {query.isError ? (
        <Failed error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <Skeleton className="m-4 h-64" />
      ) : records.length === 0 ? (
        <Empty
          icon={isNarrowed ? SearchX : ScrollText}
          title={isNarrowed ? "No call fits these filters" : "No calls yet"}
          action={isNarrowed && <Button onClick={() => go({})}>Clear filters</Button>}
        >
          {isNarrowed
            ? "Of the calls that the region recorded none is like that."
            : "The first call shows here within a second. The overview has a line to paste."}
        </Empty>
      ) : (
        <RequestTable
          records={records}
          open={search.request}
          onOpen={(request) => go({ ...search, request })}
        />
      )}
      {query.hasNextPage && (
        <div className="border-t border-line p-2 text-center">
          <Button
            small
            kind="quiet"
            busy={query.isFetchingNextPage}
            onClick={() => void query.fetchNextPage()}
          >
            Show older calls
          </Button>
        </div>
      )}
      <RequestDrawer
        place={place}
        requestId={search.request}
        onClose={() => go({ ...search, request: undefined })}
      />
    </div>
  );
}

/** Each call once, the newest first. */
function merged(news: RequestRecord[], older: RequestRecord[]): RequestRecord[] {
  const seen = new Set<string>();
  return [...news, ...older].filter(({ requestId }) => {
    const isNew = !seen.has(requestId);
    seen.add(requestId);
    return isNew;
  });
}
