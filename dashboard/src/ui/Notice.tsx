import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { textOf } from "@/api/problem";
import { cx } from "./cx";
import { RequestId } from "./Page";

const LOOKS = {
  info: { icon: Info, look: "border-info/30 bg-info-soft text-info" },
  ok: { icon: CircleCheck, look: "border-ok/30 bg-ok-soft text-ok" },
  warn: { icon: TriangleAlert, look: "border-warn/30 bg-warn-soft text-warn" },
  bad: { icon: CircleAlert, look: "border-bad/30 bg-bad-soft text-bad" },
};

/** Something to know about what is below. */
export function Notice({
  tone = "info",
  title,
  children,
}: {
  tone?: keyof typeof LOOKS;
  title?: string;
  children?: ReactNode;
}) {
  const { icon: Icon, look } = LOOKS[tone];
  return (
    <div
      role={tone === "bad" ? "alert" : "status"}
      className={cx("flex gap-2.5 rounded-md border p-3 text-sm", look)}
    >
      <Icon aria-hidden className="mt-px size-4 shrink-0" />
      <div className="min-w-0 flex-1">
        {title && <p className="font-medium">{title}</p>}
        <div className="text-ink">{children}</div>
      </div>
    </div>
  );
}

/** Why a form was not taken. */
export function Refusal({ error }: { error: unknown }) {
  if (!error) return null;
  return (
    <Notice tone="bad">
      {textOf(error)}
      <RequestId error={error} />
    </Notice>
  );
}
