import assert from "node:assert/strict";
import { dialogOf } from "../helpers.mjs";

/** A rule, a filter and a meter of the proxy, each tried as one types. */
export async function guard(page, { address }) {
  const main = page.getByRole("main");
  const dialog = dialogOf(page);
  const save = async () => {
    await dialog.getByRole("button", { name: "Save" }).click();
    await dialog.waitFor({ state: "hidden" });
  };

  await page.goto(`${address}/rules`);
  const own = main.getByRole("region", { name: "Proxy: first proxy" });
  await own.getByRole("button", { name: "Rule" }).click();
  await dialog.getByPlaceholder("^/v1/users").fill("^/secret");
  const json = dialog.getByLabel("As JSON");
  assert.equal(JSON.parse(await json.inputValue()).path.pattern, "^/secret");
  const written = { effect: "deny", priority: 700, path: { pattern: "^/(secret" } };
  await json.fill(JSON.stringify(written));
  assert.equal(await dialog.getByPlaceholder("^/v1/users").inputValue(), "^/(secret");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("path.pattern", { exact: true }).waitFor();
  await json.fill(JSON.stringify({ ...written, path: { pattern: "^/secret" } }));
  // It is tried before it is stored.
  await dialog.getByText("by this rule").waitFor({ state: "hidden" });
  await dialog.getByLabel("Path", { exact: true }).fill("/secret/x");
  await dialog.getByText("by this rule").waitFor();
  await dialog.getByText("Is denied", { exact: true }).waitFor();
  await save();
  await own.getByText("path ~ ^/secret").waitFor();
  const call = main.getByRole("region", { name: "Try a call" });
  await call.getByText("Passes", { exact: true }).waitFor();
  await call.getByLabel("Path", { exact: true }).fill("/secret/x");
  await call.getByText("Is denied", { exact: true }).waitFor();
  await own.getByText("Matches", { exact: true }).waitFor();

  await page.goto(`${address}/filters`);
  await own.getByRole("button", { name: "Filter" }).click();
  await dialog.getByLabel("Paths").fill("$.email");
  await dialog.getByText(/goes by this filter at/).waitFor();
  await save();
  const answer = main.getByLabel("What the caller gets");
  await answer.filter({ hasNotText: "email" }).waitFor();
  await main.getByLabel("The target answers").fill('{"email": "a", "left": 1}');
  await answer.filter({ hasText: "left" }).waitFor();
  assert.ok(!(await answer.innerText()).includes("email"));

  await page.goto(`${address}/meters`);
  await main.getByRole("button", { name: "New meter" }).click();
  await dialog.getByLabel("Name", { exact: true }).fill("calls");
  await dialog.getByLabel(/^A day/).fill("5");
  await save();
  await main.getByRole("meter", { name: "Today" }).waitFor();
  await main.getByText("of 5").waitFor();
}
