import { getRouteApi } from "@tanstack/react-router";
import { Page } from "@/ui/Page";
import { Performance } from "../telemetry/Performance";
import { DashboardTabs } from "./DashboardTabs";

const route = getRouteApi("/in/o/$clientId/performance");

export function PerformancePage() {
  const { clientId } = route.useParams();
  const navigate = route.useNavigate();
  return (
    <Page title="Performance" about="What your proxies did, over time.">
      <DashboardTabs clientId={clientId} />
      <Performance
        subject={{ clientId }}
        search={route.useSearch()}
        onSearch={(search) => void navigate({ search, replace: true })}
      />
    </Page>
  );
}
