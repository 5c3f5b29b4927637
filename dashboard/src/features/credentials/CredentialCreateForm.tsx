import { useState, type ReactNode } from "react";
import { Controller, useForm } from "react-hook-form";
import { EffectField } from "@/forms/EffectField";
import { showProblems } from "@/forms/problems";
import { RegionField } from "@/forms/RegionField";
import { onceKey } from "@/lib/links";
import { Button } from "@/ui/Button";
import { Field, Input } from "@/ui/Field";
import { Refusal } from "@/ui/Notice";
import { AuthTypePicker } from "./AuthTypePicker";
import {
  useCredentialWrites,
  type AuthType,
  type Credential,
  type CredentialInput,
  type Side,
} from "./queries";
import { bodyOf, problemsOf, type Written } from "./secretBody";
import { SecretFields, type SecretForm } from "./SecretFields";
import { shapesOf } from "./secretShapes";
import { SIDES } from "./words";

interface CreateForm extends SecretForm {
  credentialName: string;
  credentialRegion: string;
  credentialDefaultRuleEffect: "allow" | "deny";
}

/** A credential just made; a key that the API made is in here, once. */
export interface Made {
  credential: Credential;
  key: string | undefined;
  consentUrl: string | undefined;
}

interface CredentialCreateFormProps {
  clientId: string;
  side: Side;
  region?: string;
  onMade: (made: Made) => void;
  onCancel: () => void;
  guard?: (dirty: boolean) => ReactNode;
}

export function CredentialCreateForm(props: CredentialCreateFormProps) {
  const { clientId, side, region, onMade, onCancel, guard } = props;
  const [authType, setAuthType] = useState<AuthType>("apiKey");
  const [error, setError] = useState<unknown>();
  const [key, setKey] = useState(onceKey);
  const { create } = useCredentialWrites(clientId);
  const form = useForm<CreateForm>({
    defaultValues: {
      credentialName: "",
      credentialRegion: region ?? "",
      credentialDefaultRuleEffect: "allow",
      shape: "",
      secret: {},
    },
  });
  const { errors, isSubmitting, isDirty, isSubmitSuccessful } = form.formState;
  const submit = form.handleSubmit(async ({ shape: id, secret, ...rest }) => {
    const shapes = shapesOf(side, authType);
    const shape = shapes.find((one) => one.id === id) ?? shapes[0];
    if (!shape) return;
    const problems = Object.entries(problemsOf(shape, secret));
    problems.forEach(([name, message]) => form.setError(`secret.${name}`, { message }));
    if (problems.length > 0) return;
    const body = {
      ...rest,
      credentialType: side,
      credentialAuthType: authType,
      credentialSecret: bodyOf(authType, shape, secret),
    };
    try {
      onMade(madeOf(await create(body as CredentialInput, key)));
      form.setValue("secret", {});
    } catch (cause) {
      // Another body is another request.
      setKey(onceKey());
      setError(showProblems(form, cause, fieldOf));
    }
  });
  return (
    <form
      noValidate
      autoComplete="off"
      onSubmit={(event) => {
        event.stopPropagation();
        void submit(event);
      }}
      className="flex flex-col gap-5"
    >
      <AuthTypePicker
        side={side}
        value={authType}
        onChange={(next) => {
          setAuthType(next);
          form.setValue("shape", "");
          form.setValue("secret", {});
          form.clearErrors();
        }}
      />
      <Field label="Name" error={errors.credentialName?.message}>
        <Input
          autoComplete="off"
          {...form.register("credentialName", { required: "Give it a name." })}
        />
      </Field>
      <RegionField form={form} name="credentialRegion" fixed={region !== undefined} />
      <SecretFields form={form} side={side} authType={authType} />
      <Controller
        control={form.control}
        name="credentialDefaultRuleEffect"
        render={({ field }) => <EffectField value={field.value} onChange={field.onChange} />}
      />
      <Refusal error={error} />
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>Cancel</Button>
        <Button kind="primary" type="submit" busy={isSubmitting}>
          Create {SIDES[side].one}
        </Button>
      </div>
      {guard?.(isDirty && !isSubmitSuccessful)}
    </form>
  );
}

/** `credentialSecret.a.b` is at `secret.a_b`. */
export function fieldOf(member: string): string {
  const [root, ...rest] = member.replace(/^credentialNext\./, "").split(".");
  return root === "credentialSecret" && rest.length > 0 ? `secret.${rest.join("_")}` : member;
}

function madeOf(answer: Credential & { credentialSecret?: Written }): Made {
  const { credentialSecret, ...credential } = answer;
  return {
    credential,
    key: credentialSecret?.key,
    consentUrl: answer.authorizationUrl ?? undefined,
  };
}
