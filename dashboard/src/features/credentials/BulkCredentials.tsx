import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { BulkActions } from "@/table/BulkActions";
import { Dependents } from "../proxies/Dependents";
import { usersOfCredentials } from "../proxies/queries";
import { useCredentialWrites, type Credential, type Side } from "./queries";
import { SIDES } from "./words";

interface BulkCredentialsProps {
  clientId: string;
  side: Side;
  chosen: Credential[];
  onDone: () => void;
}

/** What can be done to several credentials at once. */
export function BulkCredentials({ clientId, side, chosen, onDone }: BulkCredentialsProps) {
  const [isDeleting, setDeleting] = useState(false);
  const { change, remove } = useCredentialWrites(clientId);
  const ids = chosen.map(({ credentialId }) => credentialId);
  const { data } = useQuery({ ...usersOfCredentials(clientId, ids), enabled: isDeleting });
  const proxies = data ?? [];
  return (
    <BulkActions
      words={[SIDES[side].one, SIDES[side].plural.toLowerCase()]}
      chosen={chosen.map(({ credentialId: id, credentialName: name }) => ({ id, name }))}
      activate={(id, credentialActive) => change(id, { credentialActive })}
      remove={(id) => remove(id, side === "target" && proxies.length > 0)}
      needsWord={proxies.length > 0}
      consequences={
        <Dependents clientId={clientId} proxies={proxies}>
          {side === "proxy"
            ? "deny their callers at once:"
            : "answer 503 until they get another target credential:"}
        </Dependents>
      }
      onDeleting={setDeleting}
      onDone={onDone}
    />
  );
}
