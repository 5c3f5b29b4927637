import { getRouteApi } from "@tanstack/react-router";
import { SearchBox } from "@/table/ListFrame";
import { Page } from "@/ui/Page";
import { Select } from "@/ui/Select";
import { AuditActions } from "./AuditActions";
import { AuditList } from "./AuditList";

const route = getRouteApi("/in/o/$clientId/audit");
const ANY = "any";
const TYPES = [
  "proxy",
  "credential",
  "target",
  "rule",
  "filter",
  "meter",
  "member",
  "invite",
  "client",
];

/** Who changed what. */
export function AuditPage() {
  const { clientId } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page
      title="Audit"
      about="Every change with who made it, before and after, in a chain of hashes. Secrets are never in it."
      actions={<AuditActions clientId={clientId} search={search} />}
    >
      <div className="overflow-hidden rounded-lg border border-line bg-surface">
        <div className="flex min-h-12 flex-wrap items-center gap-2 border-b border-line px-4 py-2">
          <SearchBox
            label="Action, such as proxy.update"
            text={search.action ?? ""}
            onText={(action) =>
              void navigate({ search: { ...search, action: action === "" ? undefined : action } })
            }
          />
          <Select
            small
            label="Kind"
            className="w-36"
            value={search.resourceType ?? ANY}
            options={[ANY, ...TYPES].map((value) => ({
              value,
              label: value === ANY ? "Anything" : value,
            }))}
            onChange={(value) =>
              void navigate({
                search: { ...search, resourceType: value === ANY ? undefined : value },
              })
            }
          />
        </div>
        <AuditList clientId={clientId} search={search} />
      </div>
    </Page>
  );
}
