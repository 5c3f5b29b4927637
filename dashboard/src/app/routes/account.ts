/** Views of one's own account. */
import { createRoute, lazyRouteComponent as lazy } from "@tanstack/react-router";
import { AccountShell } from "../Shell";
import { signedIn } from "./base";

const account = createRoute({
  getParentRoute: () => signedIn,
  path: "me",
  component: AccountShell,
});

const accountPage = createRoute({
  getParentRoute: () => account,
  id: "tabs",
  component: lazy(() => import("@/features/account/AccountPage"), "AccountPage"),
});

const profile = createRoute({
  getParentRoute: () => accountPage,
  path: "/",
  component: lazy(() => import("@/features/account/ProfileTab"), "ProfileTab"),
});

const keys = createRoute({
  getParentRoute: () => accountPage,
  path: "keys",
  component: lazy(() => import("@/features/account/KeysTab"), "KeysTab"),
});

const notifications = createRoute({
  getParentRoute: () => accountPage,
  path: "notifications",
  component: lazy(() => import("@/features/notifications/PreferencesTab"), "PreferencesTab"),
});

const security = createRoute({
  getParentRoute: () => accountPage,
  path: "security",
  component: lazy(() => import("@/features/account/SecurityTab"), "SecurityTab"),
});

export const accountRoutes = account.addChildren([
  accountPage.addChildren([profile, keys, notifications, security]),
]);
