import { useState, type ReactNode } from "react";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { Field, Input } from "./Field";
import { Refusal } from "./Notice";

interface ConfirmProps {
  open: boolean;
  title: string;
  /** What will happen, and to what else. */
  children: ReactNode;
  /** The verb on the button. */
  action: string;
  /** A name to be written out before, where something depends on it. */
  name?: string;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}

/** Asks before what cannot be taken back. */
export function Confirm(props: ConfirmProps) {
  const { open, title, onClose } = props;
  return (
    <Dialog open={open} onClose={onClose} title={title}>
      <Question {...props} />
    </Dialog>
  );
}

function Question({ children, action, name, onConfirm, onClose }: ConfirmProps) {
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const confirm = async () => {
    setBusy(true);
    try {
      await onConfirm();
      onClose();
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void confirm();
      }}
    >
      <div className="text-sm break-words text-soft">{children}</div>
      {name !== undefined && (
        <Field label={`Write “${name}” to confirm`}>
          <Input
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            autoComplete="off"
          />
        </Field>
      )}
      <Refusal error={error} />
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          kind="danger"
          type="submit"
          busy={busy}
          disabled={busy || (name !== undefined && typed !== name)}
        >
          {action}
        </Button>
      </div>
    </form>
  );
}
