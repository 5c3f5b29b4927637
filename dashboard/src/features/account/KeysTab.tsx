import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { api, take } from "@/api/client";
import { inDays } from "@/lib/time";
import { showProblems } from "@/forms/problems";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { Dialog } from "@/ui/Dialog";
import { Field, Input } from "@/ui/Field";
import { Refusal } from "@/ui/Notice";
import { Card, Failed, Skeleton } from "@/ui/Page";
import { Select } from "@/ui/Select";
import { Tag } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { tell } from "@/ui/Toasts";
import { KeyOnce } from "../credentials/KeyOnce";

const KEY = ["me", "tokens"];
const LIVES = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "A year" },
  { value: "never", label: "Never ends" },
];

/** Tokens for scripts: the Core API without a browser. */
export function KeysTab() {
  const queries = useQueryClient();
  const query = useQuery({
    queryKey: KEY,
    queryFn: () => take(api.GET("/users/me/tokens", { params: { query: { limit: 100 } } })),
  });
  const [isAdding, setAdding] = useState(false);
  const [made, setMade] = useState<string>();
  const [doomed, setDoomed] = useState<{ tokenId: string; tokenName: string }>();
  if (query.isError) return <Failed error={query.error} retry={() => void query.refetch()} />;
  const tokens = query.data?.data;
  return (
    <Card
      title="Keys of the Core API"
      actions={
        <Button small onClick={() => setAdding(true)}>
          <Plus aria-hidden className="size-3.5" /> New key
        </Button>
      }
    >
      {!tokens ? (
        <Skeleton className="h-16" />
      ) : tokens.length === 0 ? (
        <p className="text-sm text-soft">You have none. Scripts present one as Authorization.</p>
      ) : (
        <ul className="divide-y divide-line">
          {tokens.map((token) => (
            <li
              key={token.tokenId}
              className="flex flex-wrap items-center gap-3 py-2 text-sm first:pt-0 last:pb-0"
            >
              <span className="min-w-0 flex-1">
                <span className="block truncate font-medium">{token.tokenName}</span>
                <span className="text-xs text-soft">
                  Last used <Time at={token.lastUsedAt} empty="never" /> · ends{" "}
                  <Time at={token.expiresAt} empty="never" />
                </span>
              </span>
              <Tag mono>{token.tokenPrefix}…</Tag>
              <Button small kind="quiet" onClick={() => setDoomed(token)}>
                Revoke
              </Button>
            </li>
          ))}
        </ul>
      )}
      {isAdding && <NewKey onClose={() => setAdding(false)} onMade={setMade} />}
      {made !== undefined && <KeyOnce secret={made} onStored={() => setMade(undefined)} />}
      <Confirm
        open={doomed !== undefined}
        title={`Revoke ${doomed?.tokenName ?? ""}?`}
        action="Revoke"
        onClose={() => setDoomed(undefined)}
        onConfirm={async () => {
          if (!doomed) return;
          const path = { tokenId: doomed.tokenId };
          await take(api.DELETE("/users/me/tokens/{tokenId}", { params: { path } }));
          await queries.invalidateQueries({ queryKey: KEY });
          tell("The key is revoked");
        }}
      >
        Whatever still presents it is refused at once.
      </Confirm>
    </Card>
  );
}

function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (token: string) => void }) {
  const queries = useQueryClient();
  const [life, setLife] = useState("90");
  const [error, setError] = useState<unknown>();
  const form = useForm({ defaultValues: { tokenName: "" } });
  const submit = form.handleSubmit(async ({ tokenName }) => {
    const days = Number(life);
    const expiresAt = Number.isNaN(days) ? null : inDays(days);
    try {
      const made = await take(api.POST("/users/me/tokens", { body: { tokenName, expiresAt } }));
      await queries.invalidateQueries({ queryKey: KEY });
      onClose();
      onMade(made.token);
    } catch (cause) {
      setError(showProblems(form, cause));
    }
  });
  return (
    <Dialog open title="New key" onClose={onClose} about="It may do what you may do.">
      <form noValidate onSubmit={submit} className="flex flex-col gap-5">
        <Field label="Name" error={form.formState.errors.tokenName?.message}>
          <Input autoComplete="off" placeholder="deploy" {...form.register("tokenName")} />
        </Field>
        <Field label="Ends after">
          <Select options={LIVES} value={life} onChange={setLife} />
        </Field>
        <Refusal error={error} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" type="submit" busy={form.formState.isSubmitting}>
            Make key
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
