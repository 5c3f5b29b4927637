import { expect, test } from "vitest";
import { listQuery, listSearch, narrowed, sortedBy } from "./search";

test("an address that makes no sense asks for the first page", () => {
  const odd = { page: -1, limit: 7, sort: "size", active: "yes", search: 5 };
  expect(listQuery(listSearch(odd))).toMatchObject({
    page: 1,
    limit: 20,
    sort: "createdAt",
    order: "desc",
    search: "5",
  });
  expect(listSearch(odd).active).toBeUndefined();
});

test("sorting again turns the order round", () => {
  const first = sortedBy({ page: 3 }, "name");
  expect(first).toMatchObject({ sort: "name", order: "asc", page: undefined });
  expect(sortedBy(first, "name")).toMatchObject({ sort: "name", order: "desc" });
  expect(sortedBy({}, "createdAt")).toMatchObject({ order: "asc" });
});

test("another selection begins on its first page", () => {
  expect(narrowed({ page: 4, region: "a" }, { search: "x" })).toEqual({
    region: "a",
    search: "x",
    page: undefined,
  });
});
