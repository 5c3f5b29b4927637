import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { dialogOf, open } from "../helpers.mjs";

/** Members, audit, settings, and one's own account. */
export async function organisation(page) {
  const main = page.getByRole("main");
  const dialog = dialogOf(page);
  // Of its own, so that it can be run again on the same stack.
  const mark = randomUUID().slice(0, 8);
  const email = `${mark}@example.com`;
  await open(page, "Users");
  await main.getByText("(you)").waitFor();
  await main.getByRole("button", { name: "Invite" }).click();
  await dialog.getByLabel("E-mail").fill(email);
  await dialog.getByRole("button", { name: "Invite" }).click();
  const link = await dialog.getByLabel("The link", { exact: true }).innerText();
  await dialog.getByRole("button", { name: "Done" }).click();
  await main.getByText(email).waitFor();

  // Somebody else, at another browser.
  const other = await page.context().browser().newPage();
  await other.goto(link);
  await other.getByLabel("First name").fill("Col");
  await other.getByLabel("Last name").fill("League");
  await other.getByLabel("Password").fill("seven loud herons paint gates");
  await other.getByRole("button", { name: "Join" }).click();
  await other.getByLabel("E-mail").fill(email);
  await other.getByLabel("Password").fill("seven loud herons paint gates");
  await other.getByRole("button", { name: "Sign in" }).click();
  const menu = other.getByRole("navigation", { name: "Main" });
  await menu.getByRole("link", { name: "Proxies", exact: true }).click();
  await other.getByRole("link", { name: "first proxy" }).waitFor();
  assert.equal(await menu.getByRole("link", { name: "Audit" }).count(), 0, "not for users");
  await other.close();

  await open(page, "Audit");
  await main.getByText("invite.create").first().click();
  await main.getByText(`+ ${email}`).waitFor();
  await main.getByRole("button", { name: "Verify" }).click();
  await dialog.getByText("Nothing was changed").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  const taken = page.waitForEvent("download");
  await main.getByRole("button", { name: "Export" }).click();
  const lines = await readFile(await (await taken).path(), "utf8");
  assert.match(lines, /^\{.*"action":"audit.export".*\}$/m);
  await open(page, "Settings");
  await main.getByLabel("Name", { exact: true }).fill(mark);
  await main.getByRole("button", { name: "Save" }).click();
  await page.getByRole("combobox", { name: "Organisation" }).getByText(mark).waitFor();
  await page.getByRole("button", { name: "your account" }).click();
  await page.getByRole("menuitem", { name: "Keys" }).click();
  await main.getByRole("button", { name: "New key" }).click();
  await dialog.getByLabel("Name", { exact: true }).fill(mark);
  await dialog.getByRole("button", { name: "Make key" }).click();
  await page.getByRole("checkbox", { name: "I have stored it" }).click();
  await page.getByRole("button", { name: "Done" }).click();
  await main.getByText(mark, { exact: true }).waitFor();
  await main.getByRole("link", { name: "Security" }).click();
  await main.getByText("This one").waitFor();
}
