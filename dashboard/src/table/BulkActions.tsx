import { useState, type ReactNode } from "react";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { tell, tellFailure } from "@/ui/Toasts";

interface Named {
  id: string;
  name: string;
}

interface BulkActionsProps {
  /** One of them, and several. */
  words: [string, string];
  chosen: Named[];
  /** Absent: they are neither active nor inactive. */
  activate?: (id: string, isActive: boolean) => Promise<unknown>;
  remove: (id: string) => Promise<unknown>;
  /** Something depends on them: how many there are has to be written out. */
  needsWord?: boolean;
  /** What becomes of what depends on them; asked for when somebody wants to delete them. */
  consequences: ReactNode;
  onDeleting?: (isDeleting: boolean) => void;
  onDone: () => void;
}

/** What can be done to several records of a list at once. */
export function BulkActions(props: BulkActionsProps) {
  const { words, chosen, activate, remove, needsWord, consequences, onDeleting, onDone } = props;
  const [one, several] = words;
  const [isDeleting, setDeleting] = useState(false);
  const what = chosen.length === 1 ? `one ${one}` : `${chosen.length} ${several}`;
  const each = async (work: (id: string) => Promise<unknown>, said: string) => {
    for (const { id } of chosen) await work(id);
    tell(
      `${what.charAt(0).toUpperCase()}${what.slice(1)} ${chosen.length === 1 ? "is" : "are"} ${said}`,
    );
    onDone();
  };
  const setActive = (isActive: boolean) =>
    void each(
      (id) => activate?.(id, isActive) ?? Promise.resolve(),
      isActive ? "active" : "inactive",
    ).catch(tellFailure);
  const ask = (next: boolean) => {
    setDeleting(next);
    onDeleting?.(next);
  };
  return (
    <>
      {activate && (
        <>
          <Button small onClick={() => setActive(true)}>
            Activate
          </Button>
          <Button small onClick={() => setActive(false)}>
            Deactivate
          </Button>
        </>
      )}
      <Button small onClick={() => ask(true)}>
        Delete
      </Button>
      <Confirm
        open={isDeleting}
        title={`Delete ${what}?`}
        action="Delete"
        name={needsWord ? what : undefined}
        onClose={() => ask(false)}
        onConfirm={() => each(remove, "deleted")}
      >
        <ul className="mb-2 max-h-40 list-disc overflow-y-auto pl-5">
          {chosen.map(({ id, name }) => (
            <li key={id} className="text-ink" dir="auto">
              {name}
            </li>
          ))}
        </ul>
        {consequences}
      </Confirm>
    </>
  );
}
