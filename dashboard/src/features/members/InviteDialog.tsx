import { useState } from "react";
import { useForm } from "react-hook-form";
import { showProblems } from "@/forms/problems";
import { Button } from "@/ui/Button";
import { CopyBlock } from "@/ui/Copy";
import { Dialog } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { Notice, Refusal } from "@/ui/Notice";
import { Select } from "@/ui/Select";
import { ROLES, useMemberWrites, type Role } from "./queries";

interface InviteDialogProps {
  clientId: string;
  isOwner: boolean;
  onClose: () => void;
  onToken: (token: string) => void;
}

export function InviteDialog({ clientId, isOwner, onClose, onToken }: InviteDialogProps) {
  const [error, setError] = useState<unknown>();
  const [role, setRole] = useState<Role>("user");
  const { invite } = useMemberWrites(clientId);
  const form = useForm({ defaultValues: { email: "" } });
  const submit = form.handleSubmit(async ({ email }) => {
    try {
      const token = await invite({ email, roles: [role] });
      onClose();
      if (token !== undefined) onToken(token);
    } catch (cause) {
      setError(showProblems(form, cause));
    }
  });
  return (
    <Dialog open title="Invite somebody" onClose={onClose}>
      <form noValidate onSubmit={submit} className="flex flex-col gap-5">
        <Field label="E-mail" error={form.formState.errors.email?.message}>
          <Input type="email" autoComplete="off" {...form.register("email")} />
        </Field>
        <Field label="Role">
          <Select
            options={ROLES.filter(({ value }) => value !== "owner" || isOwner)}
            value={role}
            onChange={setRole}
          />
        </Field>
        <Refusal error={error} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={form.formState.isSubmitting}>
            Invite
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** The link of an invite, once: whoever has it can join. */
export function InviteLink({ token, onClose }: { token: string; onClose: () => void }) {
  return (
    <Dialog open title="Pass on this link" onClose={onClose}>
      <div className="flex flex-col gap-4">
        <Notice tone="warn">
          It is shown this once, is good for 7 days, and lets one person join.
        </Notice>
        <CopyBlock text={`${location.origin}/app/invite#token=${token}`} label="The link" />
        <div className="flex justify-end">
          <Button kind="primary" onClick={onClose}>
            Done
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
