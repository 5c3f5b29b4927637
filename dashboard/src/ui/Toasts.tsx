import { lazy, Suspense, useSyncExternalStore } from "react";
import { textOf } from "@/api/problem";

// Loaded with the first thing to say: no page needs it to be shown.
const load = () => import("./ToastList");
const List = lazy(async () => ({ default: (await load()).ToastList }));

let isWanted = false;
const readers = new Set<() => void>();

/** Says for a moment what came of something. */
export function tell(title: string): void {
  void add({ title, type: "ok" });
}

/** Says what went wrong, where no form can. */
export function tellFailure(error: unknown): void {
  void add({
    title: "That did not work",
    description: textOf(error),
    type: "bad",
    timeout: 9000,
  });
}

async function add(toast: { title: string; description?: string; type: string; timeout?: number }) {
  isWanted = true;
  readers.forEach((reader) => reader());
  const { manager } = await load();
  // The list is there with the next turn.
  setTimeout(() => manager.add(toast));
}

function subscribe(reader: () => void) {
  readers.add(reader);
  return () => readers.delete(reader);
}

export function Toasts() {
  const isShown = useSyncExternalStore(subscribe, () => isWanted);
  return <Suspense>{isShown && <List />}</Suspense>;
}
