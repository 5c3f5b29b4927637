import assert from "node:assert/strict";
import { dialogOf, open } from "../helpers.mjs";

/** Somebody else changes what is open in an editor or a form: both versions are shown. */
export async function conflicts(page, { address }) {
  const main = page.getByRole("main");
  const both = page.getByRole("dialog", { name: "Somebody else changed this meanwhile" });
  const proxy = new URL(address).pathname.replace("/app/o/", "/clients/");

  await page.goto(`${address}/rules`);
  const own = main.getByRole("region", { name: /^Proxy: / });
  await own.getByRole("button", { name: "Edit" }).first().click();
  const editor = dialogOf(page).filter({ hasText: "As JSON" });
  await editor.getByLabel("Notes").fill("mine");
  await change(page, `${proxy}/rules`, "ruleId", { notes: "of others" });
  await editor.getByRole("button", { name: "Save" }).click();
  await both.getByText("of others").waitFor();
  await both.getByText("mine", { exact: true }).waitFor();
  await both.getByRole("button", { name: "Discard mine" }).click();
  await both.waitFor({ state: "hidden" });
  assert.equal(await editor.getByLabel("Notes").inputValue(), "of others");
  await editor.getByLabel("Notes").fill("after both were seen");
  await editor.getByRole("button", { name: "Save" }).click();
  await own.getByText("after both were seen").waitFor();

  await page.goto(`${address}/meters`);
  await main.getByRole("button", { name: "Edit" }).first().click();
  await editor.getByLabel("Name", { exact: true }).fill("meter of mine");
  await change(page, `${proxy}/meters`, "meterId", { meterName: "meter of others" });
  await editor.getByRole("button", { name: "Save" }).click();
  await both.getByText("meter of others").waitFor();
  await both.getByRole("button", { name: "Save mine over it" }).click();
  await main.getByRole("region", { name: "meter of mine" }).waitFor();

  await open(page, "Settings");
  const perDay = main.getByLabel("Calls a day");
  const before = await perDay.inputValue();
  await perDay.fill("12345");
  await change(page, proxy.slice(0, proxy.indexOf("/proxies/")), undefined, {
    configuration: { limits: { requestsPerDay: 54321 } },
  });
  await main.getByRole("button", { name: "Save" }).click();
  await both.getByText("54321").waitFor();
  await both.getByText("12345").waitFor();
  await both.getByRole("button", { name: "Save mine over it" }).click();
  await main.getByText("Not saved yet").waitFor({ state: "hidden" });
  await page.reload();
  await perDay.waitFor();
  assert.equal(await perDay.inputValue(), "12345");
  await perDay.fill(before);
  await main.getByRole("button", { name: "Save" }).click();
  await main.getByText("Not saved yet").waitFor({ state: "hidden" });
}

/** A change past the page: of the first in a list by its id's member, or of one thing. */
async function change(page, path, idMember, body) {
  const status = await page.evaluate(
    async ([path, idMember, body]) => {
      const list = idMember && (await (await fetch(path)).json()).data;
      const one = list ? `${path}/${list[0][idMember]}` : path;
      const headers = { "content-type": "application/json" };
      return (await fetch(one, { method: "PATCH", headers, body: JSON.stringify(body) })).status;
    },
    [path, idMember, body],
  );
  assert.equal(status, 200);
}
