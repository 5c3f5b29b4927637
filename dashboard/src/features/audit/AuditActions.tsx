import { useMutation } from "@tanstack/react-query";
import { Download, ShieldCheck } from "lucide-react";
import { count } from "@/lib/numbers";
import { download } from "@/lib/download";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Notice, Refusal } from "@/ui/Notice";
import { tellFailure } from "@/ui/Toasts";
import type { Schemas } from "@/api/client";
import { exportOf, verdictOf, type AuditSearch } from "./queries";

/** Taking the log away, and proving that nobody changed it. */
export function AuditActions({ clientId, search }: { clientId: string; search: AuditSearch }) {
  const taken = useMutation({
    mutationFn: async () => download(await exportOf(clientId, search), "audit.ndjson"),
    onError: tellFailure,
  });
  const verified = useMutation({ mutationFn: () => verdictOf(clientId) });
  return (
    <>
      <Button busy={verified.isPending} onClick={() => verified.mutate()}>
        <ShieldCheck aria-hidden className="size-4" /> Verify
      </Button>
      <Button busy={taken.isPending} onClick={() => taken.mutate()}>
        <Download aria-hidden className="size-4" /> Export
      </Button>
      <Dialog
        open={verified.isSuccess || verified.isError}
        title="The audit log, verified"
        about="Every row is followed to the one before it, and the whole to the signatures that this control plane and the regions keep."
        onClose={verified.reset}
      >
        <Refusal error={verified.error} />
        {verified.data && <Verdict verdict={verified.data} />}
      </Dialog>
    </>
  );
}

function Verdict({ verdict }: { verdict: Schemas["AuditVerdict"] }) {
  const { ok, rows, firstBad, problem, unavailableRegions } = verdict;
  const all = rows === 1 ? "The only row" : `All ${count(rows)} rows`;
  return (
    <div className="flex flex-col gap-3">
      {ok ? (
        <Notice tone="ok" title="Nothing was changed">
          {all} fit each other and what was signed.
        </Notice>
      ) : (
        <Notice tone="bad" title="This log is not what was written">
          {problem ?? "It does not fit what was signed."}
          {firstBad && (
            <span className="mt-1 block text-xs">
              First at <code className="font-mono break-all select-all">{firstBad}</code>, of{" "}
              {count(rows)} rows.
            </span>
          )}
        </Notice>
      )}
      {unavailableRegions && unavailableRegions.length > 0 && (
        <Notice tone="warn">
          These regions keep signatures and could not be asked: {unavailableRegions.join(", ")}.
        </Notice>
      )}
    </div>
  );
}
