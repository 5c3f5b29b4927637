import { Tooltip } from "@base-ui/react/tooltip";
import { useSyncExternalStore } from "react";
import { ago, local, utc } from "@/lib/time";

const TICK_MS = 15_000;
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;
const readers = new Set<() => void>();

// One clock for all that is shown.
function subscribe(reader: () => void): () => void {
  readers.add(reader);
  timer ??= setInterval(tick, TICK_MS);
  return () => {
    readers.delete(reader);
    if (readers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function tick() {
  now = Date.now();
  readers.forEach((reader) => reader());
}

/** A moment: how long ago, with the local time and UTC on hover. */
export function Time({ at, empty = "Never" }: { at: string | null | undefined; empty?: string }) {
  const clock = useSyncExternalStore(subscribe, () => now);
  if (!at) return <span className="text-faint">{empty}</span>;
  return (
    <Hint text={`${local(at)}\n${utc(at)}`}>
      <time dateTime={at}>{ago(at, clock)}</time>
    </Hint>
  );
}

/** More about something on hover or focus. */
export function Hint({ text, children }: { text: string; children: React.ReactNode }) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger delay={250} render={<span className="cursor-default" tabIndex={0} />}>
        {children}
      </Tooltip.Trigger>
      <Tooltip.Portal>
        <Tooltip.Positioner sideOffset={6} className="z-50">
          <Tooltip.Popup className="max-w-72 rounded-md bg-solid px-2 py-1.5 text-xs whitespace-pre-line text-on-solid shadow-lift">
            {text}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}
