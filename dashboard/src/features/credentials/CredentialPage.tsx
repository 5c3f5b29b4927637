import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { Tagged } from "@/api/client";
import { RecordFacts } from "@/forms/RecordFacts";
import { Button } from "@/ui/Button";
import { Card, Failed, Page, Skeleton } from "@/ui/Page";
import { Status } from "@/ui/Status";
import { CredentialEditForm } from "./CredentialEditForm";
import { CredentialLife } from "./CredentialLife";
import { DeleteCredential } from "./DeleteCredential";
import { credentialQuery, type Credential } from "./queries";
import { ReplaceSecret } from "./ReplaceSecret";
import { UsedBy } from "./UsedBy";
import { AUTH_TYPES, SIDES } from "./words";

export function CredentialPage() {
  const { clientId } = useParams({ from: "/in/o/$clientId" });
  const { credentialId = "" } = useParams({ strict: false });
  const query = useQuery({ ...credentialQuery(clientId, credentialId), refetchInterval: 15_000 });
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Skeleton className="m-8 h-80" />;
  return <Loaded clientId={clientId} credential={query.data} />;
}

function Loaded({ clientId, credential }: { clientId: string; credential: Tagged<Credential> }) {
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  const [isReplacing, setReplacing] = useState(false);
  const { value } = credential;
  const { plural, list } = SIDES[value.credentialType];
  return (
    <Page
      narrow
      title={value.credentialName}
      beside={<Status word={value.credentialStatus} />}
      about={AUTH_TYPES[value.credentialAuthType].label}
      above={
        <Link to={list} params={{ clientId }} className="hover:text-ink">
          {plural}
        </Link>
      }
      actions={
        <>
          {value.credentialAuthType !== "none" && (
            <Button onClick={() => setReplacing(true)}>Replace secret</Button>
          )}
          <Button onClick={() => setDeleting(true)}>Delete</Button>
        </>
      }
    >
      <div className="flex flex-col gap-5">
        <CredentialLife clientId={clientId} credential={credential} />
        <UsedBy clientId={clientId} credential={value} />
        <Card title="Settings">
          <CredentialEditForm key={value.credentialId} clientId={clientId} loaded={credential} />
        </Card>
        <Card title="Record">
          <RecordFacts id={value.credentialId} {...value} />
        </Card>
      </div>
      {isReplacing && (
        <ReplaceSecret
          clientId={clientId}
          credential={credential}
          onClose={() => setReplacing(false)}
        />
      )}
      <DeleteCredential
        clientId={clientId}
        credential={value}
        open={isDeleting}
        onClose={() => setDeleting(false)}
        onDeleted={() => void navigate({ to: list, params: { clientId } })}
      />
    </Page>
  );
}
