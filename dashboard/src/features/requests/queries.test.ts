import { expect, test } from "vitest";
import { tailAddress } from "./queries";
import { requestSearch } from "./search";

test("the tail is asked for what the list shows", () => {
  const search = requestSearch({ status: 404, path: "/a&b", denied: true, live: "yes", x: 1 });
  expect(search.live).toBeUndefined();
  expect(tailAddress({ clientId: "c", proxyId: "p" }, search)).toBe(
    "/clients/c/proxies/p/requests/tail?status=404&pathContains=%2Fa%26b&denied=true",
  );
});
