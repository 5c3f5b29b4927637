import type { Schemas } from "@/api/client";
import { Pill } from "@/ui/Status";
import { Hint } from "@/ui/Time";
import { local } from "@/lib/time";

/** What the last check of a target came to; nothing: it is not checked. */
export function HealthPill({ health }: { health: Schemas["TargetHealth"] | null | undefined }) {
  if (!health) return null;
  const { reachable, status, checkedAt } = health;
  return (
    <Hint text={`Checked ${local(checkedAt)}${status ? `: ${status}` : ""}`}>
      <Pill tone={reachable ? "ok" : "bad"}>{reachable ? "Answers" : "No answer"}</Pill>
    </Hint>
  );
}
