import { CircleAlert, Info, TriangleAlert } from "lucide-react";
import type { Schemas } from "@/api/client";
import { SEVERITIES } from "./words";

const ICONS = {
  info: { icon: Info, look: "text-info" },
  warning: { icon: TriangleAlert, look: "text-warn" },
  critical: { icon: CircleAlert, look: "text-bad" },
};

/** How bad it is, where there is no room for a word. */
export function SeverityMark({ severity }: { severity: Schemas["NotificationSeverity"] }) {
  const { icon: Icon, look } = ICONS[severity];
  return (
    <span className={look}>
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" />
      <span className="sr-only">{SEVERITIES[severity].text}</span>
    </span>
  );
}
