import { Link, type LinkProps } from "@tanstack/react-router";
import {
  KeyRound,
  type LucideIcon,
  Plus,
  ShieldCheck,
  Target,
  UserPlus,
  Waypoints,
} from "lucide-react";
import { Card } from "@/ui/Page";

interface Action {
  icon: LucideIcon;
  label: string;
  to: `/o/$clientId/${string}` & LinkProps["to"];
  /** For who looks after the organisation. */
  managers?: boolean;
}

const ACTIONS: Action[] = [
  { icon: Waypoints, label: "New proxy", to: "/o/$clientId/proxies/new" },
  { icon: Target, label: "New target", to: "/o/$clientId/targets/new" },
  { icon: ShieldCheck, label: "New proxy credential", to: "/o/$clientId/proxy-credentials/new" },
  { icon: KeyRound, label: "New target credential", to: "/o/$clientId/target-credentials/new" },
  { icon: UserPlus, label: "Invite somebody", to: "/o/$clientId/users", managers: true },
];

/** What one comes here to begin. */
export function QuickActions({ clientId, isManager }: { clientId: string; isManager: boolean }) {
  return (
    <Card title="Quick actions">
      <ul className="flex flex-col gap-0.5">
        {ACTIONS.filter(({ managers }) => isManager || !managers).map(
          ({ icon: Icon, label, to }) => (
            <li key={label}>
              <Link
                to={to}
                params={{ clientId }}
                className="-mx-2 flex items-center gap-2.5 rounded-md px-2 py-1.5 text-sm hover:bg-hover"
              >
                <Icon aria-hidden className="size-4 shrink-0 text-accent" />
                <span className="flex-1">{label}</span>
                <Plus aria-hidden className="size-4 text-faint" />
              </Link>
            </li>
          ),
        )}
      </ul>
    </Card>
  );
}
