import { expect, test } from "vitest";
import { grouped, matching, pagesOf, type Entry } from "./entries";

const entry = (label: string, group: Entry["group"] = "Pages", also?: string): Entry => ({
  id: label,
  label,
  group,
  also,
});
const labels = (entries: Entry[]) => entries.map(({ label }) => label);

test("every word counts, in any order, and what begins so comes first", () => {
  const all = [
    entry("Proxy Credentials", "Pages", "keys"),
    entry("New proxy", "Actions", "create"),
    entry("proxy of payments", "Proxies"),
  ];
  expect(labels(matching(all, "proxy"))).toEqual([
    "Proxy Credentials",
    "proxy of payments",
    "New proxy",
  ]);
  expect(labels(matching(all, "proxy create"))).toEqual(["New proxy"]);
  expect(labels(matching(all, "  KEYS "))).toEqual(["Proxy Credentials"]);
  expect(labels(matching(all, ""))).toEqual(labels(all));
  expect(matching(all, "nothing like it")).toEqual([]);
});

test("groups stand in the order of their best entries", () => {
  const all = [entry("a", "Proxies"), entry("b", "Pages"), entry("c", "Proxies")];
  expect(grouped(all).map(({ name, entries }) => [name, ...labels(entries)])).toEqual([
    ["Proxies", "a", "c"],
    ["Pages", "b"],
  ]);
});

test("who looks after nothing is not sent to pages that refuse them", () => {
  expect(labels(pagesOf("c", false))).not.toContain("Audit");
  expect(labels(pagesOf("c", true))).toContain("Audit");
});
