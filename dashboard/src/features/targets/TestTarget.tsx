import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, take, type Schemas } from "@/api/client";
import { duration } from "@/lib/numbers";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Notice, Refusal } from "@/ui/Notice";
import { Select } from "@/ui/Select";
import { credentialsQuery } from "../credentials/queries";
import type { Target } from "./queries";

interface TestTargetProps {
  clientId: string;
  target: Target;
  onClose: () => void;
}

const NONE = "none";

/** Has the region call the target once, as a proxy of it would. */
export function TestTarget({ clientId, target, onClose }: TestTargetProps) {
  const { targetId, targetRegion: region, targetTestPath: path } = target;
  const [credential, setCredential] = useState(NONE);
  const { data } = useQuery(
    credentialsQuery(clientId, "target", { region, limit: 100, sort: "name" }),
  );
  const test = useMutation({
    mutationFn: () => {
      const body = credential === NONE ? {} : { targetCredentialId: credential };
      const params = { path: { clientId, targetId } };
      return take(api.POST("/clients/{clientId}/targets/{targetId}/test", { params, body }));
    },
  });
  const choices = (data?.data ?? []).map(({ credentialId, credentialName }) => ({
    value: credentialId,
    label: credentialName,
  }));
  return (
    <Dialog
      open
      title={`Test ${target.targetName}`}
      about={
        <>
          {region} sends <code className="font-mono text-xs">GET {path ?? "/"}</code> below the base
          URL, once. Nothing is recorded or counted.
        </>
      }
      onClose={onClose}
    >
      <div className="flex flex-col gap-5">
        <Field label="It is given">
          <Select
            options={[{ value: NONE, label: "Nothing" }, ...choices]}
            value={credential}
            onChange={setCredential}
          />
        </Field>
        <Refusal error={test.error} />
        <div aria-live="polite">{test.data && <Came result={test.data} />}</div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Close</Button>
          <Button kind="primary" busy={test.isPending} onClick={() => test.mutate()}>
            {test.data ? "Test again" : "Test"}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function Came({ result }: { result: Schemas["TargetTestResource"] }) {
  const { reachable, status, durationMs, error } = result;
  if (!reachable) {
    return (
      <Notice tone="bad" title="There was no answer">
        {error ?? "The target could not be reached."} After {duration(durationMs)}.
      </Notice>
    );
  }
  const isRefusal = status === 401 || status === 403;
  return (
    <Notice tone={isRefusal || (status ?? 0) >= 500 ? "warn" : "ok"} title={`It answers ${status}`}>
      {isRefusal ? "It does not take what it was given. " : ""}After {duration(durationMs)}.
    </Notice>
  );
}
