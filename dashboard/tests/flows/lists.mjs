import assert from "node:assert/strict";
import { open } from "../helpers.mjs";

/** Search, sort and page are in the address: back, reload and a shared link restore them. */
export async function lists(page) {
  const main = page.getByRole("main");
  await open(page, "Targets");
  await main.getByRole("link", { name: "echo", exact: true }).waitFor();
  await main.getByRole("button", { name: "Name" }).click();
  await page.waitForURL(/sort=name/);
  await main.getByLabel("Search targets").fill("no such target");
  await page.waitForURL(/search=no/);
  await main.getByText("Nothing matches").waitFor();
  await page.reload();
  await main.getByText("Nothing matches").waitFor();
  assert.equal(await main.getByLabel("Search targets").inputValue(), "no such target");
  await main.getByRole("button", { name: "Clear search and filters" }).click();
  await main.getByRole("link", { name: "echo", exact: true }).waitFor();
}
