import { Dialog } from "@base-ui/react/dialog";
import { useRouter } from "@tanstack/react-router";
import { CornerDownLeft, Search } from "lucide-react";
import { useId, useMemo, useState, type KeyboardEvent } from "react";
import { useRoles } from "@/api/useRoles";
import { setTheme, type Theme } from "@/lib/preferences";
import { cx } from "@/ui/cx";
import { grouped, matching, newOnes, pagesOf, type Entry } from "./entries";
import { useFound } from "./useFound";

interface PaletteProps {
  clientId: string;
  open: boolean;
  onOpen: (open: boolean) => void;
}

/** Goes to every page and record, and does what can be done from anywhere, by a few letters. */
export function Palette({ clientId, open, onOpen }: PaletteProps) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpen}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-shade" />
        <Dialog.Popup
          aria-label="Command palette"
          className="fixed top-[12vh] left-1/2 z-40 flex max-h-[70vh] w-[min(38rem,calc(100vw-2rem))] -translate-x-1/2 flex-col overflow-hidden rounded-lg border border-line bg-surface shadow-lift outline-none"
        >
          <Commands clientId={clientId} onDone={() => onOpen(false)} />
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

const THEMES: [Theme, string][] = [
  ["light", "Light theme"],
  ["dark", "Dark theme"],
  ["system", "Theme of the system"],
];

function Commands({ clientId, onDone }: { clientId: string; onDone: () => void }) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const router = useRouter();
  const listId = useId();
  const { isManager } = useRoles(clientId);
  const { found, isBusy } = useFound(clientId, typed);
  const fixed = useMemo(
    () => [
      ...pagesOf(clientId, isManager),
      ...newOnes(clientId),
      ...THEMES.map(([theme, label]): Entry => ({
        id: label,
        group: "Actions",
        label,
        also: "appearance colours mode",
        act: () => setTheme(theme),
      })),
    ],
    [clientId, isManager],
  );
  // Records come matched by the API, which knows names better than words.
  const groups = grouped([...matching(fixed, typed), ...found]);
  const shown = groups.flatMap(({ entries }) => entries);
  const chosen = Math.min(at, shown.length - 1);
  const idOf = (index: number) => `${listId}-${index}`;
  const go = (entry: Entry | undefined) => {
    if (!entry) return;
    onDone();
    entry.act?.();
    if (entry.link) void router.navigate(entry.link);
  };
  const move = (to: number) => {
    const next = (to + shown.length) % Math.max(shown.length, 1);
    setAt(next);
    document.getElementById(idOf(next))?.scrollIntoView({ block: "nearest" });
  };
  const onKey = (event: KeyboardEvent) => {
    const steps: Record<string, () => void> = {
      ArrowDown: () => move(chosen + 1),
      ArrowUp: () => move(chosen - 1),
      Enter: () => go(shown[chosen]),
    };
    const step = steps[event.key];
    if (step === undefined || event.nativeEvent.isComposing) return;
    event.preventDefault();
    step();
  };
  return (
    <>
      <div className="flex items-center gap-2.5 border-b border-line px-4">
        <Search aria-hidden className="size-4 shrink-0 text-faint" />
        <input
          role="combobox"
          aria-label="Find a page, a record or an action"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={shown.length > 0 ? idOf(chosen) : undefined}
          aria-autocomplete="list"
          autoComplete="off"
          spellCheck={false}
          placeholder="Find a page, a record or an action"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKey}
          className="h-12 min-w-0 flex-1 bg-transparent text-base outline-none"
        />
      </div>
      <div
        id={listId}
        role="listbox"
        aria-label="Found"
        aria-busy={isBusy}
        tabIndex={-1}
        className="min-h-0 flex-1 overflow-y-auto p-1.5"
      >
        {groups.map(({ name, entries }) => (
          <div key={name} role="group" aria-label={name}>
            <p aria-hidden className="px-2.5 pt-2 pb-1 text-xs font-medium text-faint">
              {name}
            </p>
            {entries.map((entry) => {
              const index = shown.indexOf(entry);
              return (
                <div
                  key={entry.id}
                  id={idOf(index)}
                  role="option"
                  aria-selected={index === chosen}
                  onPointerMove={() => setAt(index)}
                  onClick={() => go(entry)}
                  className={cx(
                    "flex cursor-default items-center gap-3 rounded-md px-2.5 py-1.5 text-sm",
                    index === chosen && "bg-hover",
                  )}
                >
                  <span className="min-w-0 truncate" dir="auto">
                    {entry.label}
                  </span>
                  {entry.about && (
                    <span className="min-w-0 flex-1 truncate text-xs text-soft">{entry.about}</span>
                  )}
                  {index === chosen && (
                    <CornerDownLeft aria-hidden className="ml-auto size-3.5 shrink-0 text-faint" />
                  )}
                </div>
              );
            })}
          </div>
        ))}
      </div>
      <p role="status" className="px-4 text-sm text-soft">
        {shown.length === 0 && !isBusy && (
          <span className="block pb-6 text-center">Nothing has this name.</span>
        )}
      </p>
    </>
  );
}
