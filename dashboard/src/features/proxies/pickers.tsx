/** What a proxy is made of, chosen from what its region has, or made on the spot. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Dialog } from "@/ui/Dialog";
import type { Made } from "../credentials/CredentialCreateForm";
import { credentialsQuery, type Side } from "../credentials/queries";
import { AUTH_TYPES, SIDES } from "../credentials/words";
import { targetsQuery } from "../targets/queries";
import { MultiPicker, Picker } from "./Picker";

const CredentialCreateForm = lazy(async () => ({
  default: (await import("../credentials/CredentialCreateForm")).CredentialCreateForm,
}));
const KeyOnce = lazy(async () => ({ default: (await import("../credentials/KeyOnce")).KeyOnce }));
const TargetCreateForm = lazy(async () => ({
  default: (await import("../targets/TargetCreateForm")).TargetCreateForm,
}));

interface Place {
  clientId: string;
  region: string;
}

interface Chosen<T> extends Place {
  value: T;
  onChange: (value: T) => void;
  error?: string;
}

const search = (region: string) => ({ region, limit: 100, sort: "name" }) as const;

export function TargetPicker({ clientId, region, ...rest }: Chosen<string>) {
  const [isOpen, setOpen] = useState(false);
  const { data } = useQuery({ ...targetsQuery(clientId, search(region)), enabled: region !== "" });
  const options = (data?.data ?? []).map(({ targetId, targetName, targetBaseURL }) => ({
    value: targetId,
    label: targetName,
    about: targetBaseURL,
  }));
  return (
    <>
      <Picker
        {...rest}
        label="Target"
        help="Where calls go."
        options={options}
        disabled={region === ""}
        onNew={() => setOpen(true)}
      />
      <Dialog open={isOpen} title="New target" onClose={() => setOpen(false)}>
        <Suspense>
          <TargetCreateForm
            clientId={clientId}
            region={region}
            onCancel={() => setOpen(false)}
            onMade={({ targetId }) => {
              rest.onChange(targetId);
              setOpen(false);
            }}
          />
        </Suspense>
      </Dialog>
    </>
  );
}

function useCredentialOptions({ clientId, region }: Place, side: Side) {
  const query = credentialsQuery(clientId, side, search(region));
  const { data } = useQuery({ ...query, enabled: region !== "" });
  return (data?.data ?? []).map(({ credentialId, credentialName, credentialAuthType }) => ({
    value: credentialId,
    label: credentialName,
    about: AUTH_TYPES[credentialAuthType].label,
  }));
}

export function CredentialPicker({ clientId, region, ...rest }: Chosen<string>) {
  const [isOpen, setOpen] = useState(false);
  const options = useCredentialOptions({ clientId, region }, "target");
  return (
    <>
      <Picker
        {...rest}
        label="Target credential"
        help="What the target is given in place of the caller’s credential."
        options={options}
        disabled={region === ""}
        onNew={() => setOpen(true)}
      />
      <NewCredential
        side="target"
        place={{ clientId, region }}
        open={isOpen}
        onClose={() => setOpen(false)}
        onMade={rest.onChange}
      />
    </>
  );
}

export function CredentialsPicker({ clientId, region, ...rest }: Chosen<string[]>) {
  const [isOpen, setOpen] = useState(false);
  const options = useCredentialOptions({ clientId, region }, "proxy");
  return (
    <>
      <MultiPicker
        {...rest}
        label="Proxy credentials"
        help="Whose calls it takes."
        options={options}
        disabled={region === ""}
        onNew={() => setOpen(true)}
      />
      <NewCredential
        side="proxy"
        place={{ clientId, region }}
        open={isOpen}
        onClose={() => setOpen(false)}
        onMade={(id) => rest.onChange([...rest.value, id])}
      />
    </>
  );
}

interface NewCredentialProps {
  side: Side;
  place: Place;
  open: boolean;
  onClose: () => void;
  onMade: (credentialId: string) => void;
}

function NewCredential({ side, place, open, onClose, onMade }: NewCredentialProps) {
  const [made, setMade] = useState<Made>();
  const take = (next: Made) => {
    onMade(next.credential.credentialId);
    onClose();
    if (next.key !== undefined) setMade(next);
  };
  return (
    <>
      <Dialog open={open} title={`New ${SIDES[side].one}`} onClose={onClose}>
        <Suspense>
          <CredentialCreateForm {...place} side={side} onCancel={onClose} onMade={take} />
        </Suspense>
      </Dialog>
      <Suspense>
        {made?.key !== undefined && (
          <KeyOnce secret={made.key} onStored={() => setMade(undefined)} />
        )}
      </Suspense>
    </>
  );
}
