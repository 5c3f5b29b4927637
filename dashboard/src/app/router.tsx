/** Every view and its address; each feature is loaded when it is first shown. */
import type { QueryClient } from "@tanstack/react-query";
import { createRouter } from "@tanstack/react-router";
import { Failed } from "@/ui/Page";
import { accountRoutes } from "./routes/account";
import * as base from "./routes/base";
import * as views from "./routes/organisation";
import { newProxy, proxies, proxyRoutes } from "./routes/proxies";

const tree = base.root.addChildren([
  base.setUp,
  base.invite,
  base.forgot,
  base.reset,
  base.signIn,
  base.signedIn.addChildren([
    base.start,
    base.newOrganisation,
    accountRoutes,
    base.organisation.addChildren([
      views.home,
      views.performance,
      views.notifications,
      views.targets,
      views.newTarget,
      views.target,
      views.proxyCredentials,
      views.newProxyCredential,
      views.proxyCredential,
      views.targetCredentials,
      views.newTargetCredential,
      views.targetCredential,
      views.members,
      views.audit,
      views.usage,
      views.settings,
      proxies,
      newProxy,
      proxyRoutes,
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
