import { useQuery } from "@tanstack/react-query";
import { Confirm } from "@/ui/Confirm";
import { tell } from "@/ui/Toasts";
import { Dependents } from "../proxies/Dependents";
import { usersOfCredentials } from "../proxies/queries";
import { useCredentialWrites, type Credential } from "./queries";
import { SIDES } from "./words";

interface DeleteCredentialProps {
  clientId: string;
  credential: Credential;
  open: boolean;
  onClose: () => void;
  onDeleted: () => void;
}

export function DeleteCredential(props: DeleteCredentialProps) {
  const { clientId, credential, open, onClose, onDeleted } = props;
  const { credentialId, credentialName: name, credentialType: side } = credential;
  const { remove } = useCredentialWrites(clientId);
  const { data } = useQuery({ ...usersOfCredentials(clientId, [credentialId]), enabled: open });
  const proxies = data ?? [];
  return (
    <Confirm
      open={open}
      title={`Delete ${name}?`}
      action={`Delete ${SIDES[side].one}`}
      name={proxies.length > 0 ? name : undefined}
      onClose={onClose}
      onConfirm={async () => {
        await remove(credentialId, side === "target" && proxies.length > 0);
        tell(`${name} is deleted`);
        onDeleted();
      }}
    >
      <Dependents clientId={clientId} proxies={proxies}>
        {side === "proxy"
          ? "deny its callers at once:"
          : "answer 503 until they get another target credential:"}
      </Dependents>
    </Confirm>
  );
}
