import { useState } from "react";
import type { Tagged } from "@/api/client";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Notice";
import { Time } from "@/ui/Time";
import { tell, tellFailure } from "@/ui/Toasts";
import { useCredentialWrites, type Credential } from "./queries";

interface NextSecretProps {
  clientId: string;
  credential: Tagged<Credential>;
}

/** The second of two secrets: which of them targets are given, and changing that. */
export function NextSecret({ clientId, credential: { value, tag } }: NextSecretProps) {
  const { credentialId, credentialNext: next, credentialActiveSlot: active } = value;
  const [busy, setBusy] = useState(false);
  const { change, switchTo } = useCredentialWrites(clientId);
  if (!next) return null;
  const isNext = active === "next";
  const attempt = async (work: () => Promise<unknown>, said: string) => {
    setBusy(true);
    try {
      await work();
      tell(said);
    } catch (error) {
      tellFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Notice
      tone={next.failedAt ? "bad" : isNext ? "ok" : "info"}
      title={
        next.failedAt
          ? "Targets refused the second secret"
          : isNext
            ? "Targets are given the second secret"
            : "A second secret waits"
      }
    >
      <p className="mb-3">
        {next.failedAt ? (
          <>
            <Time at={next.failedAt} />; they are given the first one again. Store another second
            one.
          </>
        ) : isNext ? (
          "If they refuse it in its first ten minutes, they are given the first one again."
        ) : next.switchAt ? (
          <>
            Targets are given it from <Time at={next.switchAt} /> on.
          </>
        ) : (
          "Targets are given it when you say so."
        )}
      </p>
      <div className="flex flex-wrap gap-2">
        {!next.failedAt && (
          <Button
            small
            busy={busy}
            onClick={() =>
              void attempt(
                () => switchTo(credentialId, isNext ? "current" : "next"),
                isNext
                  ? "Targets are given the first secret"
                  : "Targets are given the second secret",
              )
            }
          >
            {isNext ? "Switch back" : "Switch now"}
          </Button>
        )}
        <Button
          small
          kind="quiet"
          busy={busy}
          onClick={() =>
            void attempt(
              () => change(credentialId, { credentialNext: null }, tag),
              "There is one secret now",
            )
          }
        >
          {isNext ? "Drop the first one" : "Drop it"}
        </Button>
      </div>
    </Notice>
  );
}
