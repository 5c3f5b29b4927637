import { useBlocker } from "@tanstack/react-router";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";

/** Asks before a page is left on which something was written. */
export function UnsavedGuard({ dirty }: { dirty: boolean }) {
  const blocker = useBlocker({
    shouldBlockFn: () => dirty,
    enableBeforeUnload: dirty,
    withResolver: true,
  });
  if (blocker.status !== "blocked") return null;
  return (
    <Dialog open title="Leave without saving?" onClose={blocker.reset}>
      <p className="text-sm text-soft">What you changed on this page is not saved yet.</p>
      <div className="mt-5 flex justify-end gap-2">
        <Button onClick={blocker.proceed} kind="quiet">
          Leave
        </Button>
        <Button onClick={blocker.reset} kind="primary">
          Stay
        </Button>
      </div>
    </Dialog>
  );
}
