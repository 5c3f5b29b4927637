import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { UnsavedGuard } from "@/forms/UnsavedGuard";
import { Card, Page } from "@/ui/Page";
import { tell } from "@/ui/Toasts";
import { CredentialCreateForm, type Made } from "./CredentialCreateForm";
import { KeyOnce } from "./KeyOnce";
import type { Side } from "./queries";
import { SIDES } from "./words";

export function NewProxyCredentialPage() {
  return <NewCredentialPage side="proxy" />;
}

export function NewTargetCredentialPage() {
  return <NewCredentialPage side="target" />;
}

function NewCredentialPage({ side }: { side: Side }) {
  const { clientId } = useParams({ from: "/in/o/$clientId" });
  const navigate = useNavigate();
  const [made, setMade] = useState<Made>();
  const { plural, one, list, detail } = SIDES[side];
  const leave = ({ credential: { credentialId, credentialName } }: Made) => {
    tell(`${credentialName} is made`);
    void navigate({ to: detail, params: { clientId, credentialId }, ignoreBlocker: true });
  };
  return (
    <Page
      narrow
      title={`New ${one}`}
      above={
        <Link to={list} params={{ clientId }} className="hover:text-ink">
          {plural}
        </Link>
      }
    >
      <Card>
        <CredentialCreateForm
          clientId={clientId}
          side={side}
          onCancel={() => void navigate({ to: list, params: { clientId } })}
          onMade={(next) => (next.key === undefined ? leave(next) : setMade(next))}
          guard={(dirty) => <UnsavedGuard dirty={dirty && !made} />}
        />
      </Card>
      {made?.key !== undefined && (
        <KeyOnce
          secret={made.key}
          onStored={() => {
            setMade(undefined);
            leave(made);
          }}
        />
      )}
    </Page>
  );
}
