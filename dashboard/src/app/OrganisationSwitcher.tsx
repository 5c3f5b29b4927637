import { useQuery } from "@tanstack/react-query";
import { ChevronsUpDown } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { organisationsQuery } from "@/api/session";

// Loaded when somebody reaches for it.
const load = () => import("./OrganisationList");
const OrganisationList = lazy(async () => ({ default: (await load()).OrganisationList }));

export interface Choice {
  value: string;
  label: string;
}

export const TRIGGER =
  "flex h-9 w-full items-center gap-2.5 rounded-md border border-line bg-surface px-2 text-left text-sm hover:border-line-strong";

/** Which organisation one works in, and the way to another. */
export function OrganisationSwitcher({ clientId }: { clientId: string }) {
  const { data } = useQuery(organisationsQuery);
  const [isWanted, setWanted] = useState(false);
  const choices = (data?.data ?? []).map((one) => ({ value: one.clientId, label: one.clientName }));
  const current = choices.find((choice) => choice.value === clientId);
  const closed = (
    <button
      type="button"
      role="combobox"
      aria-label="Organisation"
      aria-haspopup="dialog"
      aria-expanded={false}
      className={TRIGGER}
      onPointerEnter={() => void load()}
      onFocus={() => void load()}
      onClick={() => setWanted(true)}
    >
      <Face current={current} />
    </button>
  );
  if (!isWanted) return closed;
  return (
    <Suspense fallback={closed}>
      <OrganisationList choices={choices} current={current} />
    </Suspense>
  );
}

export function Face({ current }: { current: Choice | undefined }) {
  return (
    <>
      <span className="grid size-5 shrink-0 place-items-center rounded-sm bg-accent-soft text-xs font-semibold text-accent uppercase">
        {current?.label.charAt(0) ?? "·"}
      </span>
      <span className="min-w-0 flex-1 truncate font-medium">{current?.label ?? "…"}</span>
      <ChevronsUpDown aria-hidden className="size-3.5 text-faint" />
    </>
  );
}
