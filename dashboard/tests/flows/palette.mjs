import assert from "node:assert/strict";
import { serious } from "../helpers.mjs";

/** Pages, records and actions by a few letters, with the keyboard alone. */
export async function palette(page, { axe }) {
  const box = page.getByRole("dialog", { name: "Command palette" });
  const find = box.getByRole("combobox");
  const run = async (text, option) => {
    await page.keyboard.press("Control+k");
    await find.fill(text);
    await box.getByRole("option", { name: option, selected: true }).waitFor();
    await page.keyboard.press("Enter");
    await box.waitFor({ state: "hidden" });
  };
  const trigger = page.getByRole("button", { name: "Find a page, a record or an action" });
  await trigger.waitFor();
  await run("audit", "Audit");
  await page.waitForURL(/\/audit$/);
  await run("first prox", "first proxy");
  await page.getByRole("heading", { name: "first proxy", level: 1 }).waitFor();
  await run("create target cred", "New target credential");
  await page.waitForURL(/\/target-credentials\/new$/);
  await run("dark", "Dark theme");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await run("system theme", "Theme of the system");

  await trigger.click();
  await page.keyboard.press("ArrowDown");
  await box.getByRole("option", { name: "Performance", selected: true }).waitFor();
  assert.deepEqual(await serious(page, axe), []);
  await find.fill("no such thing at all");
  await box.getByText("Nothing has this name").waitFor();
  await page.keyboard.press("Escape");
  await box.waitFor({ state: "hidden" });
  await page.locator("button[aria-keyshortcuts]:focus").waitFor();
}
