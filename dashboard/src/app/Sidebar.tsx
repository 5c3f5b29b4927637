import { Link } from "@tanstack/react-router";
import {
  BookOpen,
  ChartColumn,
  KeyRound,
  LayoutDashboard,
  type LucideIcon,
  ScrollText,
  Settings,
  ShieldCheck,
  Target,
  Users,
  Waypoints,
} from "lucide-react";
import { Mark } from "@/features/session/Door";
import { OrganisationSwitcher } from "./OrganisationSwitcher";

interface Entry {
  icon: LucideIcon;
  label: string;
  to: "/o/$clientId" | `/o/$clientId/${Place}`;
}

type Place =
  | "proxies"
  | "proxy-credentials"
  | "targets"
  | "target-credentials"
  | "users"
  | "audit"
  | "usage"
  | "settings";

const RESOURCES: Entry[] = [
  { icon: LayoutDashboard, label: "Dashboard", to: "/o/$clientId" },
  { icon: Waypoints, label: "Proxies", to: "/o/$clientId/proxies" },
  { icon: ShieldCheck, label: "Proxy Credentials", to: "/o/$clientId/proxy-credentials" },
  { icon: Target, label: "Targets", to: "/o/$clientId/targets" },
  { icon: KeyRound, label: "Target Credentials", to: "/o/$clientId/target-credentials" },
];

const ORGANISATION: Entry[] = [
  { icon: Users, label: "Users", to: "/o/$clientId/users" },
  { icon: ScrollText, label: "Audit", to: "/o/$clientId/audit" },
  { icon: ChartColumn, label: "Usage", to: "/o/$clientId/usage" },
  { icon: Settings, label: "Settings", to: "/o/$clientId/settings" },
];

const LOOK =
  "flex h-8 items-center gap-2.5 rounded-md px-2.5 text-sm text-soft transition-colors hover:bg-hover hover:text-ink aria-[current=page]:bg-hover aria-[current=page]:font-medium aria-[current=page]:text-ink [&[aria-current=page]>svg]:text-accent";

interface SidebarProps {
  clientId: string;
  /** Owners and admins look after the organisation itself. */
  isManager: boolean;
  onNavigate?: () => void;
}

export function Sidebar({ clientId, isManager, onNavigate }: SidebarProps) {
  const entry = ({ icon: Icon, label, to }: Entry) => (
    <Link
      key={label}
      to={to}
      params={{ clientId }}
      activeOptions={{ exact: label === "Dashboard", includeSearch: false }}
      onClick={onNavigate}
      className={LOOK}
    >
      <Icon aria-hidden className="size-4 shrink-0" />
      {label}
    </Link>
  );
  return (
    <div className="flex h-full flex-col gap-4 overflow-y-auto p-3">
      <div className="px-2.5 pt-1.5">
        <Mark />
      </div>
      <OrganisationSwitcher clientId={clientId} />
      <nav aria-label="Main" className="flex flex-1 flex-col gap-0.5">
        {RESOURCES.map(entry)}
        <a href="/docs" target="_blank" rel="noreferrer" className={LOOK}>
          <BookOpen aria-hidden className="size-4 shrink-0" />
          Docs
        </a>
        {isManager && (
          <>
            <p className="mt-5 mb-1 px-2.5 text-xs font-medium text-faint">Organisation</p>
            {ORGANISATION.map(entry)}
          </>
        )}
      </nav>
    </div>
  );
}
