/** What every view stands in: doors, who is signed in, an organisation. */
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  lazyRouteComponent as lazy,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { Problem } from "@/api/problem";
import { organisationsQuery, sessionQuery } from "@/api/session";
import { lastOrganisation } from "@/lib/preferences";
import { textOf } from "@/table/search";
import { Failed } from "@/ui/Page";
import { NotFound } from "../NotFound";
import { OrganisationShell } from "../Shell";

interface Context {
  queries: QueryClient;
}

export const root = createRootRouteWithContext<Context>()({
  component: Outlet,
  notFoundComponent: NotFound,
});

export const setUp = createRoute({
  getParentRoute: () => root,
  path: "set-up",
  component: lazy(() => import("@/features/session/SetUpPage"), "SetUpPage"),
});

export const invite = createRoute({
  getParentRoute: () => root,
  path: "invite",
  component: lazy(() => import("@/features/session/InvitePage"), "InvitePage"),
});

export const forgot = createRoute({
  getParentRoute: () => root,
  path: "forgot",
  component: lazy(() => import("@/features/session/ForgotPage"), "ForgotPage"),
});

export const reset = createRoute({
  getParentRoute: () => root,
  path: "reset",
  component: lazy(() => import("@/features/session/ResetPage"), "ResetPage"),
});

export const signIn = createRoute({
  getParentRoute: () => root,
  path: "sign-in",
  component: lazy(() => import("@/features/session/SignInPage"), "SignInPage"),
  validateSearch: (raw: Record<string, unknown>): { next?: string } => ({ next: textOf(raw.next) }),
});

export const signedIn = createRoute({
  getParentRoute: () => root,
  id: "in",
  beforeLoad: async ({ context: { queries }, location }) => {
    try {
      await queries.query({ ...sessionQuery, staleTime: "static" });
    } catch (error) {
      if (error instanceof Problem && error.status === 401) {
        throw redirect({ to: "/sign-in", search: { next: location.href } });
      }
      throw error;
    }
  },
  errorComponent: ({ error, reset }) => <Failed error={error} retry={reset} />,
});

export const start = createRoute({
  getParentRoute: () => signedIn,
  path: "/",
  beforeLoad: async ({ context: { queries } }) => {
    const { data } = await queries.query(organisationsQuery);
    const kept = data.find((one) => one.clientId === lastOrganisation());
    const clientId = (kept ?? data[0])?.clientId;
    throw clientId === undefined
      ? redirect({ to: "/new-organisation" })
      : redirect({ to: "/o/$clientId", params: { clientId } });
  },
});

export const newOrganisation = createRoute({
  getParentRoute: () => signedIn,
  path: "new-organisation",
  component: lazy(
    () => import("@/features/organisation/NewOrganisationPage"),
    "NewOrganisationPage",
  ),
});

export const organisation = createRoute({
  getParentRoute: () => signedIn,
  path: "o/$clientId",
  component: OrganisationShell,
  errorComponent: ({ error, reset }) => <Failed error={error} retry={reset} />,
});
