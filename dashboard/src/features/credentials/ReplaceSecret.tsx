import { useState } from "react";
import { useForm } from "react-hook-form";
import type { Schemas, Tagged } from "@/api/client";
import { showProblems } from "@/forms/problems";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Refusal } from "@/ui/Notice";
import { Select } from "@/ui/Select";
import { tell } from "@/ui/Toasts";
import { fieldOf } from "./CredentialCreateForm";
import { KeyOnce } from "./KeyOnce";
import { useCredentialWrites, type AuthType, type Credential } from "./queries";
import { bodyOf, problemsOf, type Written } from "./secretBody";
import { SecretFields, type SecretForm } from "./SecretFields";
import { shapesOf } from "./secretShapes";

const OVERLAPS = [
  { value: "0", label: "Ends at once" },
  { value: "3600", label: "Accepted for one more hour" },
  { value: "86400", label: "Accepted for one more day" },
  { value: "604800", label: "Accepted for one more week" },
];

/** Their tokens come of one secret. */
const ONE_SECRET = new Set<AuthType>(["oauth2", "customToken", "none"]);
const BEGINS = [
  { value: "replace" as const, label: "At once, in place of the one there is" },
  { value: "wait" as const, label: "As a second one, when I switch to it" },
  { value: "now" as const, label: "As a second one, at once", about: "the first one stays" },
];
type Begin = (typeof BEGINS)[number]["value"];

interface ReplaceSecretProps {
  clientId: string;
  credential: Tagged<Credential>;
  onClose: () => void;
}

/** A new secret in place of the one that is there. */
export function ReplaceSecret({ clientId, credential, onClose }: ReplaceSecretProps) {
  const { credentialId, credentialType: side, credentialAuthType: authType } = credential.value;
  const [overlap, setOverlap] = useState("0");
  const [begin, setBegin] = useState<Begin>("replace");
  const [error, setError] = useState<unknown>();
  const [made, setMade] = useState<string>();
  const { change } = useCredentialWrites(clientId);
  const form = useForm<SecretForm>({ defaultValues: { shape: "", secret: {} } });
  const submit = form.handleSubmit(async ({ shape: id, secret }) => {
    const shapes = shapesOf(side, authType);
    const shape = shapes.find((one) => one.id === id) ?? shapes[0];
    if (!shape) return;
    const problems = Object.entries(problemsOf(shape, secret));
    problems.forEach(([name, message]) => form.setError(`secret.${name}`, { message }));
    if (problems.length > 0) return;
    const rotation = side === "proxy" ? { overlapSeconds: Number(overlap) } : undefined;
    // Nothing is a wish for a key that the API makes.
    const credentialSecret = bodyOf(authType, shape, secret) ?? {};
    const switchAt = begin === "now" ? "now" : null;
    const body = (
      begin === "replace"
        ? { credentialSecret, rotation }
        : { credentialNext: { credentialSecret, switchAt } }
    ) as Schemas["CredentialPatch"];
    try {
      const answer: Credential & { credentialSecret?: Written } = await change(
        credentialId,
        body,
        credential.tag,
      );
      form.reset();
      if (answer.credentialSecret?.key !== undefined) setMade(answer.credentialSecret.key);
      else done();
    } catch (cause) {
      setError(showProblems(form, cause, fieldOf));
    }
  });
  const done = () => {
    tell(begin === "wait" ? "The second secret waits" : "The new secret counts");
    onClose();
  };
  if (made !== undefined) return <KeyOnce secret={made} onStored={done} />;
  return (
    <Dialog
      open
      title="Replace the secret"
      onClose={onClose}
      about="It takes effect without a gap."
    >
      <form noValidate autoComplete="off" onSubmit={submit} className="flex flex-col gap-5">
        <SecretFields form={form} side={side} authType={authType} />
        {side === "target" && !ONE_SECRET.has(authType) && (
          <Field
            label="Targets are given it"
            help="Of two secrets the second is taken back by itself when targets refuse it."
          >
            <Select options={BEGINS} value={begin} onChange={setBegin} />
          </Field>
        )}
        {side === "proxy" && (
          <Field label="The secret before it">
            <Select options={OVERLAPS} value={overlap} onChange={setOverlap} />
          </Field>
        )}
        <Refusal error={error} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={form.formState.isSubmitting}>
            Replace
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
