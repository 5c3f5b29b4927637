import assert from "node:assert/strict";
import { dialogOf, open } from "../helpers.mjs";
import { promisify } from "node:util";
import { execFile } from "node:child_process";

const run = promisify(execFile);
export const EMAIL = "owner@example.com";
export const PASSWORD = "five quiet otters dig tunnels";

/** Set-up link → target → credential → proxy → the call that is shown. */
export async function firstProxy(page, { link, target }) {
  await page.goto(link);
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Password").fill(PASSWORD);
  assert.equal(new URL(page.url()).hash, "", "the token stays in the address");
  await page.getByRole("button", { name: "Set up and sign in" }).click();
  await open(page, "Proxies");
  await page.getByRole("link", { name: "New proxy" }).first().click();
  const main = page.getByRole("main");
  await main.getByLabel("Name", { exact: true }).fill("first proxy");

  await main.getByRole("button", { name: "New: Target", exact: true }).click();
  const dialog = dialogOf(page);
  await dialog.getByLabel("Name", { exact: true }).fill("echo");
  await dialog.getByLabel("Base URL").fill(target);
  await dialog.getByRole("button", { name: "Create target" }).click();
  await dialog.waitFor({ state: "hidden" });

  await main.getByRole("button", { name: "New: Target credential" }).click();
  await dialog.getByRole("radio", { name: "Bearer token" }).click();
  await dialog.getByLabel("Name", { exact: true }).fill("what echo is given");
  await dialog.getByLabel("Token", { exact: true }).fill("t-secret-of-the-target");
  await dialog.getByRole("button", { name: "Create target credential" }).click();
  await dialog.waitFor({ state: "hidden" });

  await main.getByRole("button", { name: "New: Proxy credentials" }).click();
  await dialog.getByLabel("Name", { exact: true }).fill("first caller");
  await dialog.getByRole("button", { name: "Create proxy credential" }).click();
  const key = await page.getByLabel("The key", { exact: true }).innerText();
  const done = page.getByRole("button", { name: "Done" });
  assert.equal(await done.isDisabled(), true);
  await page.getByRole("checkbox", { name: "I have stored it" }).click();
  await done.click();
  await dialog.waitFor({ state: "hidden" });

  await page.getByRole("button", { name: "Create proxy" }).click();
  await page.getByRole("heading", { name: "first proxy", level: 1 }).waitFor();
  await main.getByText("Live", { exact: true }).waitFor();
  const line = await page.getByLabel("A call in curl", { exact: true }).innerText();
  const { stdout } = await run("bash", ["-c", `${line} -sS`], {
    env: { ...process.env, CREDENTIAL: key },
  });
  assert.match(stdout, /^HTTP\/1.1 200/, stdout);
  assert.match(stdout, /proxy-access-granted/);
  const kept = await page.evaluate(() => [document.documentElement.outerHTML, { ...localStorage }]);
  for (const secret of [key, "t-secret-of-the-target", PASSWORD]) {
    assert.ok(!JSON.stringify(kept).includes(secret), "a secret stayed in the page");
  }
  const base = /"(http[^"]+)\/"/.exec(line)[1];
  return { address: page.url(), base, key };
}
