/** The other views of an organisation, in the order of the sidebar. */
import { createRoute, lazyRouteComponent as lazy } from "@tanstack/react-router";
import { auditSearch } from "@/features/audit/queries";
import { notificationSearch } from "@/features/notifications/search";
import { timeSearch } from "@/features/telemetry/search";
import { usageSearch } from "@/features/usage/search";
import { listSearch } from "@/table/search";
import { organisation } from "./base";

export const home = createRoute({
  getParentRoute: () => organisation,
  path: "/",
  component: lazy(() => import("@/features/dashboard/HomePage"), "HomePage"),
});

export const performance = createRoute({
  getParentRoute: () => organisation,
  path: "performance",
  validateSearch: timeSearch,
  component: lazy(() => import("@/features/dashboard/PerformancePage"), "PerformancePage"),
});

export const notifications = createRoute({
  getParentRoute: () => organisation,
  path: "notifications",
  validateSearch: notificationSearch,
  component: lazy(() => import("@/features/notifications/NotificationsPage"), "NotificationsPage"),
});

export const targets = createRoute({
  getParentRoute: () => organisation,
  path: "targets",
  validateSearch: listSearch,
  component: lazy(() => import("@/features/targets/TargetsPage"), "TargetsPage"),
});

export const newTarget = createRoute({
  getParentRoute: () => organisation,
  path: "targets/new",
  component: lazy(() => import("@/features/targets/NewTargetPage"), "NewTargetPage"),
});

export const target = createRoute({
  getParentRoute: () => organisation,
  path: "targets/$targetId",
  component: lazy(() => import("@/features/targets/TargetPage"), "TargetPage"),
});

const credentialPages = {
  list: () => import("@/features/credentials/CredentialsPage"),
  add: () => import("@/features/credentials/NewCredentialPage"),
  one: () => import("@/features/credentials/CredentialPage"),
};

export const proxyCredentials = createRoute({
  getParentRoute: () => organisation,
  path: "proxy-credentials",
  validateSearch: listSearch,
  component: lazy(credentialPages.list, "ProxyCredentialsPage"),
});

export const newProxyCredential = createRoute({
  getParentRoute: () => organisation,
  path: "proxy-credentials/new",
  component: lazy(credentialPages.add, "NewProxyCredentialPage"),
});

export const proxyCredential = createRoute({
  getParentRoute: () => organisation,
  path: "proxy-credentials/$credentialId",
  component: lazy(credentialPages.one, "CredentialPage"),
});

export const targetCredentials = createRoute({
  getParentRoute: () => organisation,
  path: "target-credentials",
  validateSearch: listSearch,
  component: lazy(credentialPages.list, "TargetCredentialsPage"),
});

export const newTargetCredential = createRoute({
  getParentRoute: () => organisation,
  path: "target-credentials/new",
  component: lazy(credentialPages.add, "NewTargetCredentialPage"),
});

export const targetCredential = createRoute({
  getParentRoute: () => organisation,
  path: "target-credentials/$credentialId",
  component: lazy(credentialPages.one, "CredentialPage"),
});

export const members = createRoute({
  getParentRoute: () => organisation,
  path: "users",
  component: lazy(() => import("@/features/members/MembersPage"), "MembersPage"),
});

export const audit = createRoute({
  getParentRoute: () => organisation,
  path: "audit",
  validateSearch: auditSearch,
  component: lazy(() => import("@/features/audit/AuditPage"), "AuditPage"),
});

export const usage = createRoute({
  getParentRoute: () => organisation,
  path: "usage",
  validateSearch: usageSearch,
  component: lazy(() => import("@/features/usage/UsagePage"), "UsagePage"),
});

export const settings = createRoute({
  getParentRoute: () => organisation,
  path: "settings",
  component: lazy(() => import("@/features/settings/SettingsPage"), "SettingsPage"),
});
