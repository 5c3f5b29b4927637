import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { Tagged } from "@/api/client";
import { Button } from "@/ui/Button";
import { Card, Failed, Page, Skeleton } from "@/ui/Page";
import { RecordFacts } from "@/forms/RecordFacts";
import { DeleteTarget } from "./DeleteTarget";
import { HealthPill } from "./HealthPill";
import { targetQuery, type Target } from "./queries";
import { TestTarget } from "./TestTarget";
import { TargetEditForm } from "./TargetEditForm";

const route = getRouteApi("/in/o/$clientId/targets/$targetId");

export function TargetPage() {
  const { clientId, targetId } = route.useParams();
  const query = useQuery({ ...targetQuery(clientId, targetId), refetchInterval: 30_000 });
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton className="m-8 h-80" />;
  return <Loaded clientId={clientId} target={query.data} />;
}

function Loaded({ clientId, target }: { clientId: string; target: Tagged<Target> }) {
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  const [isTesting, setTesting] = useState(false);
  const { value } = target;
  return (
    <Page
      narrow
      title={value.targetName}
      above={
        <Link to="/o/$clientId/targets" params={{ clientId }} className="hover:text-ink">
          Targets
        </Link>
      }
      beside={<HealthPill health={value.targetHealth} />}
      actions={
        <>
          <Button onClick={() => setTesting(true)}>Test</Button>
          <Button onClick={() => setDeleting(true)}>Delete</Button>
        </>
      }
    >
      <div className="flex flex-col gap-5">
        <Card title="Settings">
          <TargetEditForm key={value.targetId} clientId={clientId} loaded={target} />
        </Card>
        <Card title="Record">
          <RecordFacts id={value.targetId} {...value} />
        </Card>
      </div>
      {isTesting && (
        <TestTarget clientId={clientId} target={value} onClose={() => setTesting(false)} />
      )}
      <DeleteTarget
        clientId={clientId}
        target={value}
        open={isDeleting}
        onClose={() => setDeleting(false)}
        onDeleted={() => void navigate({ to: "/o/$clientId/targets", params: { clientId } })}
      />
    </Page>
  );
}
