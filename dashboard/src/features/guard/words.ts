import type { Conditions } from "./queries";

interface Presence {
  presence?: "present" | "absent" | null;
}

/** What conditions ask for, in a line; empty: they hold for every call. */
export function wordsOf(conditions: Conditions): string {
  const { methods, path, headers, query, body, claims } = conditions;
  const named = (kind: string) => (one: Presence & Named) =>
    `${absent(one)}${kind} ${one.name.pattern}${matching(one.value)}`;
  const node = (kind: string) => (one: Presence & Node) =>
    `${absent(one)}${kind} ${one.path}${matching(one.value)}`;
  return [
    methods && methods.length > 0 ? methods.join(", ") : "",
    path ? `${absent(path)}path ~ ${path.pattern}` : "",
    ...(headers ?? []).map(named("header")),
    ...(query ?? []).map(named("query")),
    ...(body ?? []).map(node("body")),
    ...(claims ?? []).map(node("claim")),
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

interface Pattern {
  pattern: string;
}
interface Named {
  name: Pattern;
  value?: Pattern | null;
}
interface Node {
  path: string;
  value?: Pattern | null;
}

function absent({ presence }: Presence): string {
  return presence === "absent" ? "no " : "";
}

function matching(value: Pattern | null | undefined): string {
  return value ? ` ~ ${value.pattern}` : "";
}
