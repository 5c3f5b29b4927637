import { getRouteApi } from "@tanstack/react-router";
import { Performance } from "./Performance";

const route = getRouteApi("/in/o/$clientId/proxies/$proxyId/telemetry");

export function TelemetryTab() {
  const navigate = route.useNavigate();
  return (
    <Performance
      subject={route.useParams()}
      search={route.useSearch()}
      onSearch={(search) => void navigate({ search, replace: true })}
    />
  );
}
