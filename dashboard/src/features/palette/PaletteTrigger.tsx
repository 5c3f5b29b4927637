import { Search } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";

// Loaded when somebody asks for it.
const load = () => import("./Palette");
const Palette = lazy(async () => ({ default: (await load()).Palette }));

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Opens the command palette, also by Ctrl or ⌘ and K. */
export function PaletteTrigger({ clientId }: { clientId: string }) {
  // Undefined: it was never opened, so it is not loaded.
  const [isOpen, setOpen] = useState<boolean>();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setOpen((open) => !open);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <button
        type="button"
        aria-haspopup="dialog"
        aria-expanded={isOpen ?? false}
        aria-keyshortcuts="Control+K Meta+K"
        onPointerEnter={() => void load()}
        onClick={() => setOpen(true)}
        className="flex h-8 items-center gap-2 rounded-md px-2 text-sm text-soft hover:bg-hover hover:text-ink sm:w-56 sm:border sm:border-line sm:bg-surface sm:hover:border-line-strong"
      >
        <Search aria-hidden className="size-4 shrink-0" />
        <span className="flex-1 text-left max-sm:sr-only">
          Find<span className="sr-only"> a page, a record or an action</span>
        </span>
        <kbd aria-hidden className="hidden font-sans text-xs text-faint sm:inline">
          {isMac ? "⌘ K" : "Ctrl K"}
        </kbd>
      </button>
      <Suspense>
        {isOpen !== undefined && <Palette clientId={clientId} open={isOpen} onOpen={setOpen} />}
      </Suspense>
    </>
  );
}
