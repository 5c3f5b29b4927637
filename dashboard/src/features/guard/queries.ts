/** Rules and filters: of a proxy, of its target, and of each credential, all alike. */
import { queryOptions, useQueryClient } from "@tanstack/react-query";
import { api, take, takeTagged, type Schemas } from "@/api/client";

export type Rule = Schemas["RuleResource"];
export type RuleInput = Schemas["RuleInput"];
export type Filter = Schemas["FilterResource"];
export type FilterInput = Schemas["FilterInput"];
export type Conditions = Schemas["Conditions"];
export type RuleDraft = Schemas["RuleDraftInput"];
export type FilterDraft = Schemas["FilterDraftInput"];
export type Layer = "proxy" | "target" | "proxyCredential" | "targetCredential";

export const LAYER_LABELS: Record<string, string> = {
  proxyCredential: "Proxy credential",
  targetCredential: "Target credential",
  target: "Target",
  proxy: "Proxy",
};

/** What rules and filters are attached to. */
export interface Owner {
  clientId: string;
  layer: Layer;
  id: string;
  name: string;
}

const ALL = { limit: 100, sort: "createdAt", order: "asc" } as const;

// The paths differ in a name only, and so do their types: each goes by the one of proxies.
function base({ layer }: Owner) {
  const paths = {
    proxy: "/clients/{clientId}/proxies/{proxyId}",
    target: "/clients/{clientId}/targets/{targetId}",
    proxyCredential: "/clients/{clientId}/credentials/{credentialId}",
    targetCredential: "/clients/{clientId}/credentials/{credentialId}",
  };
  return paths[layer] as "/clients/{clientId}/proxies/{proxyId}";
}

function path({ clientId, id }: Owner) {
  return { clientId, proxyId: id, targetId: id, credentialId: id };
}

const keyOf = ({ clientId, layer, id }: Owner) => ["organisation", clientId, "guard", layer, id];

export function rulesQuery(owner: Owner) {
  return queryOptions({
    queryKey: [...keyOf(owner), "rules"],
    queryFn: () =>
      take(api.GET(`${base(owner)}/rules`, { params: { path: path(owner), query: ALL } })),
  });
}

export function filtersQuery(owner: Owner) {
  return queryOptions({
    queryKey: [...keyOf(owner), "filters"],
    queryFn: () =>
      take(api.GET(`${base(owner)}/filters`, { params: { path: path(owner), query: ALL } })),
  });
}

/** One with its tag: what an editor begins with, and what it may replace. */
export function ruleQuery(owner: Owner, ruleId: string) {
  const params = { path: { ...path(owner), ruleId } };
  return queryOptions({
    queryKey: [...keyOf(owner), "rules", ruleId],
    queryFn: () => takeTagged(api.GET(`${base(owner)}/rules/{ruleId}`, { params })),
    staleTime: 0,
    gcTime: 0,
  });
}

export function filterQuery(owner: Owner, filterId: string) {
  const params = { path: { ...path(owner), filterId } };
  return queryOptions({
    queryKey: [...keyOf(owner), "filters", filterId],
    queryFn: () => takeTagged(api.GET(`${base(owner)}/filters/{filterId}`, { params })),
    staleTime: 0,
    gcTime: 0,
  });
}

export function useGuardWrites(owner: Owner) {
  const queries = useQueryClient();
  const changed = () =>
    queries.invalidateQueries({ queryKey: ["organisation", owner.clientId, "guard"] });
  const one = (id: string) => ({ ...path(owner), ruleId: id, filterId: id });
  return {
    createRule: async (body: RuleInput) => {
      await take(api.POST(`${base(owner)}/rules`, { params: { path: path(owner) }, body }));
      await changed();
    },
    replaceRule: async (id: string, body: RuleInput, tag: string) => {
      const params = { path: one(id), header: { "If-Match": tag } };
      await take(api.PUT(`${base(owner)}/rules/{ruleId}`, { params, body }));
      await changed();
    },
    removeRule: async (id: string) => {
      await take(api.DELETE(`${base(owner)}/rules/{ruleId}`, { params: { path: one(id) } }));
      await changed();
    },
    createFilter: async (body: FilterInput) => {
      await take(api.POST(`${base(owner)}/filters`, { params: { path: path(owner) }, body }));
      await changed();
    },
    replaceFilter: async (id: string, body: FilterInput, tag: string) => {
      const params = { path: one(id), header: { "If-Match": tag } };
      await take(api.PUT(`${base(owner)}/filters/{filterId}`, { params, body }));
      await changed();
    },
    removeFilter: async (id: string) => {
      await take(api.DELETE(`${base(owner)}/filters/{filterId}`, { params: { path: one(id) } }));
      await changed();
    },
  };
}

export interface Place {
  clientId: string;
  proxyId: string;
}

/** Under which id answers show what is being written. */
export function draftId(draft: { replaces?: string | null }): string {
  return draft.replaces ?? "00000000-0000-0000-0000-000000000000";
}

/** What the stored rules say of a sample call. */
export function evaluateQuery(place: Place, body: Schemas["EvaluationInput"], enabled: boolean) {
  return queryOptions({
    queryKey: ["organisation", place.clientId, "guard", "evaluate", place.proxyId, body],
    queryFn: ({ signal }) =>
      take(
        api.POST("/clients/{clientId}/proxies/{proxyId}/evaluate", {
          params: { path: place },
          body,
          signal,
        }),
      ),
    enabled,
    retry: false,
  });
}

/** What the stored filters leave of a sample answer. */
export function previewQuery(place: Place, body: Schemas["PreviewInput"], enabled: boolean) {
  return queryOptions({
    queryKey: ["organisation", place.clientId, "guard", "preview", place.proxyId, body],
    queryFn: ({ signal }) =>
      take(
        api.POST("/clients/{clientId}/proxies/{proxyId}/preview", {
          params: { path: place },
          body,
          signal,
        }),
      ),
    enabled,
    retry: false,
  });
}
