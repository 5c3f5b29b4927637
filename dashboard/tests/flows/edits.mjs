import assert from "node:assert/strict";
import { dialogOf, open } from "../helpers.mjs";
import { EMAIL, PASSWORD } from "./first-proxy.mjs";

/** Edit, a change by somebody else meanwhile, a session that ends, and deletion. */
export async function edits(page, { address }) {
  const main = page.getByRole("main");
  await open(page, "Targets");
  await main.getByRole("link", { name: "echo", exact: true }).click();
  const name = main.getByLabel("Name", { exact: true });
  await name.fill("echo of mine");
  const path = new URL(page.url()).pathname.replace("/app/o/", "/clients/");
  const status = await page.evaluate(async (path) => {
    const body = JSON.stringify({ targetName: "echo of others" });
    const headers = { "content-type": "application/json" };
    return (await fetch(path, { method: "PATCH", headers, body })).status;
  }, path);
  assert.equal(status, 200);
  await main.getByRole("button", { name: "Save" }).click();
  const dialog = dialogOf(page);
  await dialog.getByText("echo of others").waitFor();
  await dialog.getByText("echo of mine").waitFor();
  await dialog.getByRole("button", { name: "Save mine over it" }).click();
  await page.getByRole("heading", { name: "echo of mine", level: 1 }).waitFor();

  // The session ends in the middle of a form: what was written stays.
  await name.fill("written before the end");
  await page.evaluate(() => fetch("/session", { method: "DELETE" }));
  await main.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("Your session ended").waitFor();
  await dialog.getByLabel("Password").fill(PASSWORD);
  assert.equal(await dialog.getByLabel("E-mail").inputValue(), EMAIL);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await dialog.waitFor({ state: "hidden" });
  assert.equal(await name.inputValue(), "written before the end");
  await main.getByRole("button", { name: "Save" }).click();
  await page.getByRole("heading", { name: "written before the end", level: 1 }).waitFor();

  // What something depends on asks for its name.
  await main.getByRole("button", { name: "Delete" }).click();
  await dialog.getByText("first proxy").waitFor();
  const destroy = dialog.getByRole("button", { name: "Delete target" });
  assert.equal(await destroy.isDisabled(), true);
  await dialog.getByRole("button", { name: "Cancel" }).click();

  await page.goto(`${address}/settings`);
  await main.getByRole("button", { name: "Delete proxy" }).click();
  await dialog.getByLabel("Write “first proxy” to confirm").fill("first proxy");
  await dialog.getByRole("button", { name: "Delete proxy" }).click();
  await page.waitForURL(/\/proxies$/);
  await main.getByRole("link", { name: "first proxy" }).waitFor({ state: "hidden" });
}
