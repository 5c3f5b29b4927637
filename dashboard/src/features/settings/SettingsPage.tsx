import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useRoles } from "@/api/useRoles";
import { RecordFacts } from "@/forms/RecordFacts";
import { Card, Facts, Failed, Page, Skeleton } from "@/ui/Page";
import { Status, Tag } from "@/ui/Status";
import { BillingCard } from "./BillingCard";
import { OrganisationForm } from "./OrganisationForm";
import { settingsQuery } from "./queries";

const route = getRouteApi("/in/o/$clientId/settings");

export function SettingsPage() {
  const { clientId } = route.useParams();
  const { isManager } = useRoles(clientId);
  const query = useQuery(settingsQuery(clientId));
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton className="m-8 h-80" />;
  const { value } = query.data;
  return (
    <Page narrow title="Settings">
      <div className="flex flex-col gap-5">
        {isManager && (
          <Card title="Organisation">
            <OrganisationForm loaded={query.data} />
          </Card>
        )}
        <Card title="Plan">
          <Facts
            rows={[
              ["Plan", <Tag key="plan">{value.clientPlan}</Tag>],
              ["Status", <Status key="status" word={value.clientStatus} />],
              [
                "Regions",
                value.configuration.regions.length === 0
                  ? "everywhere"
                  : value.configuration.regions.join(", "),
              ],
            ]}
          />
        </Card>
        <BillingCard clientId={clientId} />
        <Card title="Record">
          <RecordFacts id={value.clientId} {...value} />
        </Card>
      </div>
    </Page>
  );
}
