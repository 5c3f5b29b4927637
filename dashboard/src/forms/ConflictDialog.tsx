import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import type { Conflict } from "./useEdit";

interface ConflictProps<T> {
  conflict: Conflict<T> | undefined;
  labels: Partial<Record<keyof T & string, string>>;
  onKeep: () => void;
  onTake: (theirs: T) => void;
  onClose: () => void;
}

/** Both versions of what two people changed, and which is to stay. */
export function ConflictDialog<T extends object>(props: ConflictProps<T>) {
  const { conflict, labels, onKeep, onTake, onClose } = props;
  if (!conflict) return null;
  const { mine, theirs } = conflict;
  const members = Object.keys(mine) as (keyof T & string)[];
  return (
    <Dialog
      open
      wide
      title="Somebody else changed this meanwhile"
      about="Nothing is saved yet. Compare, then choose which version stays."
      onClose={onClose}
    >
      <table className="w-full table-fixed text-left text-sm">
        <thead className="text-xs text-soft">
          <tr>
            <th className="w-1/4 pb-2 font-medium">Field</th>
            <th className="pb-2 font-medium">Now stored</th>
            <th className="pb-2 font-medium">Yours</th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line border-y border-line align-top">
          {members.map((member) => (
            <tr key={member}>
              <th className="py-2 pr-3 font-medium">{labels[member] ?? member}</th>
              <td className="py-2 pr-3 break-words">{shown(theirs.value[member])}</td>
              <td className="py-2 break-words">{shown(mine[member])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="mt-5 flex flex-wrap justify-end gap-2">
        <Button onClick={() => onTake(theirs.value)}>Discard mine</Button>
        <Button kind="primary" onClick={onKeep}>
          Save mine over it
        </Button>
      </div>
    </Dialog>
  );
}

function shown(value: unknown): string {
  if (value === null || value === undefined || value === "") return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
