import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { count } from "@/lib/numbers";
import { SearchBox } from "@/table/ListFrame";
import { Button, buttonClass } from "@/ui/Button";
import { cx } from "@/ui/cx";
import { Page } from "@/ui/Page";
import { tellFailure } from "@/ui/Toasts";
import { DashboardTabs } from "../dashboard/DashboardTabs";
import { NotificationDrawer } from "./NotificationDrawer";
import { NotificationTable } from "./NotificationTable";
import { unreadQuery, useNotificationWrites } from "./queries";
import { WHOSE, type NotificationSearch, type Whose } from "./search";
import { useShelves } from "./useShelves";
import { WHOSE_WORDS } from "./words";

const route = getRouteApi("/in/o/$clientId/notifications");

/** What one is told: of the organisation, of oneself, of the installation. */
export function NotificationsPage() {
  const { clientId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const shelves = useShelves(clientId, search);
  const go = (change: NotificationSearch) =>
    void navigate({ search: { ...search, open: undefined, ...change } });
  return (
    <Page
      title="Notifications"
      about="What happened without your asking. Each is kept for 90 days."
      actions={
        <Link to="/me/notifications" className={buttonClass()}>
          Preferences
        </Link>
      }
    >
      <DashboardTabs clientId={clientId} />
      <div className="overflow-hidden rounded-lg border border-line bg-surface">
        <Filters clientId={clientId} search={search} shown={shelves.shown} go={go} />
        <NotificationTable
          clientId={clientId}
          shelves={shelves}
          isNarrowed={!!search.search || !!search.unread || !!search.whose}
          onOpen={({ type, notificationId }) => go({ open: `${type}:${notificationId}` })}
          onClear={() => go({ search: undefined, unread: undefined, whose: undefined })}
        />
      </div>
      <NotificationDrawer clientId={clientId} open={search.open} onClose={() => go({})} />
    </Page>
  );
}

interface FiltersProps {
  clientId: string;
  search: NotificationSearch;
  shown: readonly Whose[];
  go: (change: NotificationSearch) => void;
}

function Filters({ clientId, search, shown, go }: FiltersProps) {
  const { data } = useQuery(unreadQuery(clientId));
  const { readAll } = useNotificationWrites(clientId);
  const all = data && data.client + data.user + data.system;
  const unread = data && shown.reduce((sum, whose) => sum + data[whose], 0);
  return (
    <div className="flex min-h-12 flex-wrap items-center gap-2 border-b border-line px-4 py-2">
      <SearchBox
        label="Search notifications"
        text={search.search ?? ""}
        onText={(text) => go({ search: text === "" ? undefined : text })}
      />
      <div role="group" aria-label="Whose" className="flex flex-wrap gap-1">
        <Choice on={!search.whose} n={all} onClick={() => go({ whose: undefined })}>
          All
        </Choice>
        {WHOSE.map((whose) => (
          <Choice
            key={whose}
            on={search.whose === whose}
            n={data?.[whose]}
            onClick={() => go({ whose })}
          >
            {WHOSE_WORDS[whose]}
          </Choice>
        ))}
      </div>
      <Choice
        on={search.unread === true}
        n={unread}
        onClick={() => go({ unread: search.unread ? undefined : true })}
      >
        Unread
      </Choice>
      <Button
        small
        kind="quiet"
        className="ml-auto"
        disabled={!unread}
        onClick={() => void readAll(shown).catch(tellFailure)}
      >
        Mark all read
      </Button>
    </div>
  );
}

interface ChoiceProps {
  on: boolean;
  /** How many of these are not read. */
  n: number | undefined;
  onClick: () => void;
  children: string;
}

function Choice({ on, n, onClick, children }: ChoiceProps) {
  return (
    <button
      type="button"
      aria-pressed={on}
      onClick={onClick}
      className={cx(
        "inline-flex h-7 items-center gap-1.5 rounded-md border px-2 text-xs font-medium",
        on ? "border-line-strong bg-hover text-ink" : "border-transparent text-soft hover:bg-hover",
      )}
    >
      {children}
      {n !== undefined && n > 0 && (
        <span className="rounded-full bg-accent-soft px-1.5 text-accent tabular">
          {count(n)}
          <span className="sr-only"> not read</span>
        </span>
      )}
    </button>
  );
}
