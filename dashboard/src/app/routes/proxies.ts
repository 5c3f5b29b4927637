/** The list of proxies, and the views of one. */
import { createRoute, lazyRouteComponent as lazy } from "@tanstack/react-router";
import { requestSearch } from "@/features/requests/search";
import { timeSearch } from "@/features/telemetry/search";
import { listSearch } from "@/table/search";
import { organisation } from "./base";

export const proxies = createRoute({
  getParentRoute: () => organisation,
  path: "proxies",
  validateSearch: listSearch,
  component: lazy(() => import("@/features/proxies/ProxiesPage"), "ProxiesPage"),
});

export const newProxy = createRoute({
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

const proxyRules = createRoute({
  getParentRoute: () => proxy,
  path: "rules",
  component: lazy(() => import("@/features/guard/RulesTab"), "RulesTab"),
});

const proxyFilters = createRoute({
  getParentRoute: () => proxy,
  path: "filters",
  component: lazy(() => import("@/features/guard/FiltersTab"), "FiltersTab"),
});

const proxyMeters = createRoute({
  getParentRoute: () => proxy,
  path: "meters",
  component: lazy(() => import("@/features/meters/MetersTab"), "MetersTab"),
});

const proxyRequests = createRoute({
  getParentRoute: () => proxy,
  path: "requests",
  validateSearch: requestSearch,
  component: lazy(() => import("@/features/requests/RequestsTab"), "RequestsTab"),
});

const proxyTelemetry = createRoute({
  getParentRoute: () => proxy,
  path: "telemetry",
  validateSearch: timeSearch,
  component: lazy(() => import("@/features/telemetry/TelemetryTab"), "TelemetryTab"),
});

const proxyHistory = createRoute({
  getParentRoute: () => proxy,
  path: "history",
  component: lazy(() => import("@/features/audit/HistoryTab"), "HistoryTab"),
});

const proxySettings = createRoute({
  getParentRoute: () => proxy,
  path: "settings",
  component: lazy(() => import("@/features/proxies/ProxySettings"), "ProxySettings"),
});

export const proxyRoutes = proxy.addChildren([
  proxyOverview,
  proxyRules,
  proxyFilters,
  proxyMeters,
  proxyRequests,
  proxyTelemetry,
  proxyHistory,
  proxySettings,
]);
