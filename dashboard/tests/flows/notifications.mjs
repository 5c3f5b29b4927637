import assert from "node:assert/strict";
import { open } from "../helpers.mjs";

/** That somebody joined is told: at the bell, on a page of its own, and no more once it is read. */
export async function notifications(page) {
  const main = page.getByRole("main");
  await open(page, "Dashboard");
  const bell = page.getByRole("button", { name: /^Notifications/ });
  for (let seen = 0; !(await bell.filter({ hasText: /\d/ }).count()); seen += 1) {
    assert.ok(seen < 40, "nobody was told that somebody joined");
    await page.waitForTimeout(1_000);
    await page.reload();
    await bell.waitFor();
  }
  await bell.click();
  const preview = page.getByRole("dialog", { name: "Notifications" });
  await preview
    .getByRole("link", { name: /joined/ })
    .first()
    .click();
  await page.waitForURL(/\/notifications\?open=client/);
  const drawer = page.getByRole("dialog", { name: /joined/ });
  await drawer.getByText("is a member now").waitFor();
  await drawer.getByRole("button", { name: "Close" }).click();

  const table = main.getByRole("table", { name: "Notifications" });
  const row = table.getByRole("row").filter({ hasText: "joined" }).first();
  await row.getByRole("button", { name: "Mark unread" }).click();
  await main.getByRole("button", { name: /^Unread/ }).click();
  await page.waitForURL(/unread=true/);
  await row.getByText("Not read").waitFor();
  await main.getByRole("button", { name: /^Personal/ }).click();
  await page.waitForURL(/whose=user/);
  await row.waitFor({ state: "hidden" });
  await main.getByRole("button", { name: /^All/ }).click();
  await main.getByLabel("Search notifications").fill("no such notification");
  await main.getByText("Nothing matches").waitFor();
  await main.getByRole("button", { name: "Clear search and filters" }).click();
  await row.waitFor();
  await main.getByRole("button", { name: "Mark all read" }).click();
  await page.getByRole("button", { name: "Notifications", exact: true }).waitFor();

  // Who does not want to be told that does not see it in lists.
  await main.getByRole("link", { name: "Preferences" }).click();
  const wanted = main.getByRole("checkbox", { name: "Somebody joined: in lists" });
  await wanted.click();
  await main.getByRole("button", { name: "Save" }).click();
  await main.getByText("Not saved yet").waitFor({ state: "hidden" });
  await page.reload();
  assert.equal(await wanted.isChecked(), false);
  await page.goBack();
  await main.getByText("Nothing to tell").or(table).first().waitFor();
  await main.getByRole("row").filter({ hasText: "joined" }).waitFor({ state: "hidden" });
}
