import { useState, type KeyboardEvent, type ReactNode } from "react";
import type { Tagged } from "@/api/client";
import { Problem, sentence } from "@/api/problem";
import { ConflictDialog } from "@/forms/ConflictDialog";
import type { Conflict } from "@/forms/useEdit";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Field, TextArea } from "@/ui/Field";
import { Notice, Refusal } from "@/ui/Notice";
import { against, type Draft } from "./draft";

interface EditorDialogProps<T> {
  title: string;
  draft: Draft<T>;
  /** Of what was there before: the version that is changed. */
  tag?: string;
  onSave: (tag: string) => Promise<void>;
  /** What is stored now, when somebody else changed it meanwhile. */
  reload?: () => Promise<Tagged<T>>;
  onClose: () => void;
  /** What tries it while it is written. */
  trial?: ReactNode;
  /** The form's side. */
  children: ReactNode;
}

/** Something written in a form and as JSON side by side. */
export function EditorDialog<T extends object>(props: EditorDialogProps<T>) {
  const { title, draft, tag = "", onSave, reload, onClose, trial, children } = props;
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const [known, setKnown] = useState(tag);
  const [conflict, setConflict] = useState<Conflict<T>>();
  const save = async (over: string) => {
    setBusy(true);
    try {
      await onSave(over);
      onClose();
    } catch (cause) {
      const isStale = cause instanceof Problem && cause.isStale && reload !== undefined;
      const theirs = isStale ? await reload() : undefined;
      setConflict(theirs && { theirs, mine: against(theirs.value, draft.value) });
      setError(isStale ? undefined : cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog open wide title={title} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save(known);
        }}
        className="flex flex-col gap-5"
      >
        <div className="grid gap-5 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
          <div className="flex min-w-0 flex-col gap-5">{children}</div>
          <Field label="As JSON" error={draft.problem}>
            <TextArea
              className="min-h-80 flex-1"
              value={draft.text}
              onChange={(event) => draft.write(event.target.value)}
            />
          </Field>
        </div>
        {trial && (
          <details open className="rounded-md border border-line">
            <summary className="cursor-pointer px-4 py-2.5 text-sm font-medium">Try it</summary>
            <div className="border-t border-line p-4" onKeyDown={keepFromSaving}>
              {trial}
            </div>
          </details>
        )}
        <Problems error={error} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button
            kind="primary"
            type="submit"
            busy={busy}
            disabled={busy || draft.problem !== undefined}
          >
            Save
          </Button>
        </div>
      </form>
      <ConflictDialog
        conflict={conflict}
        labels={{}}
        onKeep={() => void save(conflict?.theirs.tag ?? known)}
        onTake={(theirs) => {
          draft.set(theirs);
          setKnown(conflict?.theirs.tag ?? known);
          setConflict(undefined);
        }}
        onClose={() => setConflict(undefined)}
      />
    </Dialog>
  );
}

/** Enter in a sample's field does not save what is tried on it. */
function keepFromSaving(event: KeyboardEvent) {
  if (event.key === "Enter" && event.target instanceof HTMLInputElement) event.preventDefault();
}

/** Each problem with the member that it is about, as both sides name it. */
function Problems({ error }: { error: unknown }) {
  if (!(error instanceof Problem) || error.details.length === 0) return <Refusal error={error} />;
  return (
    <Notice tone="bad">
      <ul className="flex flex-col gap-1">
        {error.details.map(({ field, problem }) => (
          <li key={`${field} ${problem}`}>
            <code className="font-mono text-xs">{field}</code> {sentence(problem)}
          </li>
        ))}
      </ul>
    </Notice>
  );
}
