import { useState } from "react";
import type { Tagged } from "@/api/client";
import { Button } from "@/ui/Button";
import { Notice } from "@/ui/Notice";
import { Card, Facts } from "@/ui/Page";
import { Time } from "@/ui/Time";
import { tell, tellFailure } from "@/ui/Toasts";
import { NextSecret } from "./NextSecret";
import { useCredentialWrites, type Credential } from "./queries";

/** How a credential stands: use, expiry, tokens, and what is to be done about it. */
export function CredentialLife({
  clientId,
  credential: loaded,
}: {
  clientId: string;
  credential: Tagged<Credential>;
}) {
  const credential = loaded.value;
  const { credentialToken: token, credentialPrevious: previous } = credential;
  const [busy, setBusy] = useState(false);
  const { consent, endPrevious } = useCredentialWrites(clientId);
  const needsConsent = ["pending_consent", "reconsent_needed"].includes(
    credential.credentialStatus,
  );
  const ask = async () => {
    setBusy(true);
    try {
      const address = await consent(credential.credentialId);
      if (address) window.open(address, "_blank", "noopener");
    } catch (error) {
      tellFailure(error);
    } finally {
      setBusy(false);
    }
  };
  const end = async () => {
    try {
      await endPrevious(credential.credentialId);
      tell("Only the new secret counts now");
    } catch (error) {
      tellFailure(error);
    }
  };
  return (
    <Card title="Life">
      <div className="flex flex-col gap-4">
        {needsConsent && (
          <Notice tone="warn" title="Somebody has to consent at the provider">
            <p className="mb-3">It opens in a new tab; this page sees by itself when it is done.</p>
            <Button kind="primary" busy={busy} onClick={ask}>
              Open the provider
            </Button>
          </Notice>
        )}
        {token?.lastError && (
          <Notice tone="bad" title="The last attempt to get a token failed">
            {token.lastError}
          </Notice>
        )}
        <NextSecret clientId={clientId} credential={loaded} />
        {previous && (
          <Notice title="The secret before it is still accepted">
            <p className="mb-3">
              Until <Time at={previous.validUntil} />.
            </p>
            <Button small onClick={end}>
              End it now
            </Button>
          </Notice>
        )}
        <Facts
          rows={[
            ["Last used", <Time key="used" at={credential.credentialLastUsedAt} />],
            ["Expires", <Time key="expires" at={credential.credentialExpiresAt} />],
            [
              "Version of the secret",
              <span key="v" className="tabular">
                {credential.credentialVersion}
              </span>,
            ],
            ...(token
              ? ([
                  ["Last refresh", <Time key="refresh" at={token.lastRefreshAt} />],
                  [
                    "Token good until",
                    <Time key="good" at={token.expiresAt} empty="No token yet" />,
                  ],
                  ["Next refresh", <Time key="next" at={token.nextRefreshAt} empty="Now" />],
                ] as [string, React.ReactNode][])
              : []),
          ]}
        />
      </div>
    </Card>
  );
}
