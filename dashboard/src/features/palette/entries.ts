import type { LinkProps } from "@tanstack/react-router";

/** Something that the palette offers: a place to go to, or something to do. */
export interface Entry {
  id: string;
  group: "Pages" | "Actions" | "Proxies" | "Targets" | "Credentials" | "Organisations";
  label: string;
  /** A word more, such as the region. */
  about?: string;
  /** Words by which it is found, too. */
  also?: string;
  link?: LinkProps;
  act?: () => void;
}

const MOST = 40;

/** Those with every word that was typed, those that begin with it first; otherwise as they are. */
export function matching(entries: Entry[], typed: string): Entry[] {
  const text = typed.trim().toLowerCase();
  const words = text.split(/\s+/);
  const rank = ({ label }: Entry) => (label.toLowerCase().startsWith(text) ? 0 : 1);
  const fits = ({ group, label, also }: Entry) => {
    const all = `${group} ${label} ${also ?? ""}`.toLowerCase();
    return words.every((word) => all.includes(word));
  };
  return entries
    .filter(fits)
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, MOST);
}

export interface Group {
  name: Entry["group"];
  entries: Entry[];
}

/** In groups, the one with the best entry first. */
export function grouped(entries: Entry[]): Group[] {
  const groups = new Map<Entry["group"], Entry[]>();
  for (const entry of entries) groups.set(entry.group, [...(groups.get(entry.group) ?? []), entry]);
  return [...groups].map(([name, entries]) => ({ name, entries }));
}

/** Pages of an organisation and of one's account. */
export function pagesOf(clientId: string, isManager: boolean): Entry[] {
  const params = { clientId };
  const page = (label: string, link: LinkProps, also?: string): Entry => ({
    id: `page ${label}`,
    group: "Pages",
    label,
    also,
    link,
  });
  const all = [
    page("Dashboard", { to: "/o/$clientId", params }, "home"),
    page("Performance", { to: "/o/$clientId/performance", params }, "telemetry charts"),
    page("Notifications", { to: "/o/$clientId/notifications", params }),
    page("Proxies", { to: "/o/$clientId/proxies", params }),
    page("Proxy Credentials", { to: "/o/$clientId/proxy-credentials", params }, "keys"),
    page("Targets", { to: "/o/$clientId/targets", params }),
    page("Target Credentials", { to: "/o/$clientId/target-credentials", params }, "secrets"),
    page("Profile", { to: "/me" }, "account"),
    page("Keys", { to: "/me/keys" }, "account tokens"),
    page("Notification preferences", { to: "/me/notifications" }, "account mail"),
    page("Security", { to: "/me/security" }, "account password sessions"),
  ];
  if (!isManager) return all;
  return [
    ...all,
    page("Users", { to: "/o/$clientId/users", params }, "members invites"),
    page("Audit", { to: "/o/$clientId/audit", params }, "log history"),
    page("Usage", { to: "/o/$clientId/usage", params }),
    page("Settings", { to: "/o/$clientId/settings", params }, "organisation limits"),
  ];
}

/** What one can begin from anywhere. */
export function newOnes(clientId: string): Entry[] {
  const params = { clientId };
  const add = (label: string, link: LinkProps): Entry => ({
    id: `new ${label}`,
    group: "Actions",
    label,
    also: "create add make",
    link,
  });
  return [
    add("New proxy", { to: "/o/$clientId/proxies/new", params }),
    add("New target", { to: "/o/$clientId/targets/new", params }),
    add("New proxy credential", { to: "/o/$clientId/proxy-credentials/new", params }),
    add("New target credential", { to: "/o/$clientId/target-credentials/new", params }),
    add("New organisation", { to: "/new-organisation" }),
  ];
}
