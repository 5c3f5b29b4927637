import {
  CircleAlert,
  CircleCheck,
  CircleDot,
  CirclePause,
  Clock,
  type LucideIcon,
} from "lucide-react";
import { cx } from "./cx";

export type Tone = "ok" | "warn" | "bad" | "info" | "idle";

const LOOKS: Record<Tone, { icon: LucideIcon; look: string }> = {
  ok: { icon: CircleCheck, look: "text-ok bg-ok-soft" },
  warn: { icon: Clock, look: "text-warn bg-warn-soft" },
  bad: { icon: CircleAlert, look: "text-bad bg-bad-soft" },
  info: { icon: CircleDot, look: "text-info bg-info-soft" },
  idle: { icon: CirclePause, look: "text-soft bg-sunken" },
};

/** How the words of the API look; a word that is new to us is shown as it is. */
const WORDS: Record<string, { tone: Tone; text: string }> = {
  applied: { tone: "ok", text: "Live" },
  active: { tone: "ok", text: "Active" },
  acknowledged: { tone: "ok", text: "Applied" },
  pending: { tone: "warn", text: "Applying" },
  rejected: { tone: "bad", text: "Rejected" },
  incomplete: { tone: "bad", text: "Incomplete" },
  inactive: { tone: "idle", text: "Inactive" },
  expired: { tone: "bad", text: "Expired" },
  pending_consent: { tone: "warn", text: "Needs consent" },
  obtaining: { tone: "info", text: "Obtaining token" },
  failing: { tone: "bad", text: "Failing" },
  reconsent_needed: { tone: "bad", text: "Needs consent again" },
  invalid_client: { tone: "bad", text: "Client refused" },
  suspended: { tone: "bad", text: "Suspended" },
};

/** A state: colour, sign and word together. */
export function Status({ word }: { word: string }) {
  const known = WORDS[word];
  return <Pill tone={known?.tone ?? "info"}>{known?.text ?? word.replaceAll("_", " ")}</Pill>;
}

export function Pill({ tone, children }: { tone: Tone; children: string }) {
  const { icon: Icon, look } = LOOKS[tone];
  return (
    <span
      className={cx(
        "inline-flex h-5 items-center gap-1 rounded-full pr-2 pl-1 text-xs font-medium whitespace-nowrap",
        look,
      )}
    >
      <Icon aria-hidden className="size-3.5" strokeWidth={2.25} />
      {children}
    </span>
  );
}

/** A word that is no state: a kind, a region. */
export function Tag({ children, mono }: { children: React.ReactNode; mono?: boolean }) {
  return (
    <span
      className={cx(
        "inline-flex h-5 items-center rounded-sm border border-line bg-sunken px-1.5 text-xs whitespace-nowrap text-soft",
        mono && "font-mono",
      )}
    >
      {children}
    </span>
  );
}
