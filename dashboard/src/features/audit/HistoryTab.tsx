import { getRouteApi } from "@tanstack/react-router";
import { useRoles } from "@/api/useRoles";
import { Lock } from "lucide-react";
import { Empty } from "@/ui/Page";
import { AuditList } from "./AuditList";

const route = getRouteApi("/in/o/$clientId/proxies/$proxyId/history");

/** What was changed of one proxy. */
export function HistoryTab() {
  const { clientId, proxyId } = route.useParams();
  const { isManager, isKnown } = useRoles(clientId);
  return (
    <div className="overflow-hidden rounded-lg border border-line bg-surface">
      {isKnown && !isManager ? (
        <Empty icon={Lock} title="Your role does not show this">
          Owners and admins see the audit log.
        </Empty>
      ) : (
        isKnown && <AuditList clientId={clientId} search={{ resourceId: proxyId }} />
      )}
    </div>
  );
}
