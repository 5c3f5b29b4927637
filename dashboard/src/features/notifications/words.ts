import type { LinkProps } from "@tanstack/react-router";
import type { Schemas } from "@/api/client";
import type { Tone } from "@/ui/Status";
import type { Whose } from "./search";

type Kind = Schemas["NotificationKind"];

export const WHOSE_WORDS: Record<Whose, string> = {
  client: "Organisation",
  user: "Personal",
  system: "System",
};

export const SEVERITIES: Record<Schemas["NotificationSeverity"], { tone: Tone; text: string }> = {
  info: { tone: "info", text: "Info" },
  warning: { tone: "warn", text: "Warning" },
  critical: { tone: "bad", text: "Critical" },
};

/** What one can be told, in the order of whom it concerns. */
export const KINDS: Record<Kind, { whose: Whose; text: string }> = {
  "meter-near-limit": { whose: "client", text: "A meter is near its limit" },
  "meter-exceeded": { whose: "client", text: "A meter reached its limit" },
  "credential-expiring": { whose: "client", text: "A credential ends soon" },
  "credential-failing": { whose: "client", text: "A credential gets no token" },
  "credential-recovered": { whose: "client", text: "A credential gets tokens again" },
  "credential-switched-back": { whose: "client", text: "A credential was switched back" },
  "secret-echo": { whose: "client", text: "A target sent a secret back" },
  "target-unreachable": { whose: "client", text: "A target does not answer" },
  "target-recovered": { whose: "client", text: "A target answers again" },
  "config-rejected": { whose: "client", text: "Envoys refuse what a proxy became" },
  "billing-low": { whose: "client", text: "The balance is low" },
  "billing-suspended": { whose: "client", text: "The balance is used up" },
  "webhook-disabled": { whose: "client", text: "A webhook was switched off" },
  "member-added": { whose: "client", text: "Somebody joined" },
  "member-removed": { whose: "client", text: "Somebody left" },
  invite: { whose: "user", text: "You are invited" },
  "token-expiring": { whose: "user", text: "A key of yours ends soon" },
  "sign-in-new-device": { whose: "user", text: "A sign-in from somewhere new" },
  "region-disconnected": { whose: "system", text: "A region is away" },
  "log-incomplete": { whose: "system", text: "Calls have no record" },
  announcement: { whose: "system", text: "Announcements" },
};

/** The page of what a notification is about, if it has one. */
export function subjectLink(
  clientId: string,
  subject: Schemas["NotificationSubject"] | null | undefined,
): LinkProps | undefined {
  if (!subject) return undefined;
  const { id } = subject;
  const links: Record<string, LinkProps> = {
    proxy: { to: "/o/$clientId/proxies/$proxyId", params: { clientId, proxyId: id } },
    target: { to: "/o/$clientId/targets/$targetId", params: { clientId, targetId: id } },
    credential: {
      to: "/o/$clientId/target-credentials/$credentialId",
      params: { clientId, credentialId: id },
    },
    member: { to: "/o/$clientId/users", params: { clientId } },
    client: { to: "/o/$clientId", params: { clientId: id } },
    token: { to: "/me/keys" },
  };
  return links[subject.type];
}
