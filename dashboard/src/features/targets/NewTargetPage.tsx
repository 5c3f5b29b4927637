import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { UnsavedGuard } from "@/forms/UnsavedGuard";
import { Card, Page } from "@/ui/Page";
import { tell } from "@/ui/Toasts";
import { TargetCreateForm } from "./TargetCreateForm";

const route = getRouteApi("/in/o/$clientId/targets/new");

export function NewTargetPage() {
  const { clientId } = route.useParams();
  const navigate = useNavigate();
  const [made, setMade] = useState(false);
  return (
    <Page
      narrow
      title="New target"
      above={
        <Link to="/o/$clientId/targets" params={{ clientId }} className="hover:text-ink">
          Targets
        </Link>
      }
    >
      <Card>
        <TargetCreateForm
          clientId={clientId}
          onCancel={() => void navigate({ to: "/o/$clientId/targets", params: { clientId } })}
          onMade={({ targetId, targetName }) => {
            setMade(true);
            tell(`${targetName} is made`);
            const params = { clientId, targetId };
            void navigate({ to: "/o/$clientId/targets/$targetId", params, ignoreBlocker: true });
          }}
          guard={(dirty) => <UnsavedGuard dirty={dirty && !made} />}
        />
      </Card>
    </Page>
  );
}
