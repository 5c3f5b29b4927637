/** Every view and its address; each feature is loaded when it is first shown. */
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent as lazy,
  Outlet,
  redirect,
} from "@tanstack/react-router";
import { Problem } from "@/api/problem";
import { organisationsQuery, sessionQuery } from "@/api/session";
import { lastOrganisation } from "@/lib/preferences";
import { listSearch, textOf } from "@/table/search";
import { Failed } from "@/ui/Page";
import { NotFound } from "./NotFound";
import { OrganisationShell } from "./Shell";

interface Context {
  queries: QueryClient;
}

const root = createRootRouteWithContext<Context>()({
  component: Outlet,
  notFoundComponent: NotFound,
});

const setUp = createRoute({
  getParentRoute: () => root,
  path: "set-up",
  component: lazy(() => import("@/features/session/SetUpPage"), "SetUpPage"),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "sign-in",
  component: lazy(() => import("@/features/session/SignInPage"), "SignInPage"),
  validateSearch: (raw: Record<string, unknown>): { next?: string } => ({ next: textOf(raw.next) }),
});

const signedIn = createRoute({
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

const start = createRoute({
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

const newOrganisation = createRoute({
  getParentRoute: () => signedIn,
  path: "new-organisation",
  component: lazy(
    () => import("@/features/organisation/NewOrganisationPage"),
    "NewOrganisationPage",
  ),
});

const organisation = createRoute({
  getParentRoute: () => signedIn,
  path: "o/$clientId",
  component: OrganisationShell,
  errorComponent: ({ error, reset }) => <Failed error={error} retry={reset} />,
});

const home = createRoute({
  getParentRoute: () => organisation,
  path: "/",
  component: lazy(() => import("@/features/dashboard/HomePage"), "HomePage"),
});

const targets = createRoute({
  getParentRoute: () => organisation,
  path: "targets",
  validateSearch: listSearch,
  component: lazy(() => import("@/features/targets/TargetsPage"), "TargetsPage"),
});
const newTarget = createRoute({
  getParentRoute: () => organisation,
  path: "targets/new",
  component: lazy(() => import("@/features/targets/NewTargetPage"), "NewTargetPage"),
});
const target = createRoute({
  getParentRoute: () => organisation,
  path: "targets/$targetId",
  component: lazy(() => import("@/features/targets/TargetPage"), "TargetPage"),
});

const credentialPages = {
  list: () => import("@/features/credentials/CredentialsPage"),
  add: () => import("@/features/credentials/NewCredentialPage"),
  one: () => import("@/features/credentials/CredentialPage"),
};
const proxyCredentials = createRoute({
  getParentRoute: () => organisation,
  path: "proxy-credentials",
  validateSearch: listSearch,
  component: lazy(credentialPages.list, "ProxyCredentialsPage"),
});
const newProxyCredential = createRoute({
  getParentRoute: () => organisation,
  path: "proxy-credentials/new",
  component: lazy(credentialPages.add, "NewProxyCredentialPage"),
});
const proxyCredential = createRoute({
  getParentRoute: () => organisation,
  path: "proxy-credentials/$credentialId",
  component: lazy(credentialPages.one, "CredentialPage"),
});
const targetCredentials = createRoute({
  getParentRoute: () => organisation,
  path: "target-credentials",
  validateSearch: listSearch,
  component: lazy(credentialPages.list, "TargetCredentialsPage"),
});
const newTargetCredential = createRoute({
  getParentRoute: () => organisation,
  path: "target-credentials/new",
  component: lazy(credentialPages.add, "NewTargetCredentialPage"),
});
const targetCredential = createRoute({
  getParentRoute: () => organisation,
  path: "target-credentials/$credentialId",
  component: lazy(credentialPages.one, "CredentialPage"),
});

const proxies = createRoute({
  getParentRoute: () => organisation,
  path: "proxies",
  validateSearch: listSearch,
  component: lazy(() => import("@/features/proxies/ProxiesPage"), "ProxiesPage"),
});
const newProxy = createRoute({
  getParentRoute: () => organisation,
  path: "proxies/new",
  component: lazy(() => import("@/features/proxies/NewProxyPage"), "NewProxyPage"),
});
const proxy = createRoute({
  getParentRoute: () => organisation,
  path: "proxies/$proxyId",
  component: lazy(() => import("@/features/proxies/ProxyPage"), "ProxyPage"),
});
const proxyOverview = createRoute({
  getParentRoute: () => proxy,
  path: "/",
  component: lazy(() => import("@/features/proxies/overview/Overview"), "Overview"),
});
const proxySettings = createRoute({
  getParentRoute: () => proxy,
  path: "settings",
  component: lazy(() => import("@/features/proxies/ProxySettings"), "ProxySettings"),
});

const tree = root.addChildren([
  setUp,
  signIn,
  signedIn.addChildren([
    start,
    newOrganisation,
    organisation.addChildren([
      home,
      targets,
      newTarget,
      target,
      proxyCredentials,
      newProxyCredential,
      proxyCredential,
      targetCredentials,
      newTargetCredential,
      targetCredential,
      proxies,
      newProxy,
      proxy.addChildren([proxyOverview, proxySettings]),
    ]),
  ]),
]);

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    basepath: "/app",
    context: { queries },
    defaultPreload: "intent",
    scrollRestoration: true,
    defaultErrorComponent: ({ error, reset }) => <Failed error={error} retry={reset} />,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
