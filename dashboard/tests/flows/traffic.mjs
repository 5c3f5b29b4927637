import assert from "node:assert/strict";

/** Calls show as they end, with what decided them; figures and charts follow. */
export async function traffic(page, { address, base, key }) {
  const main = page.getByRole("main");
  const call = async (path, authorization) =>
    (await fetch(`${base}${path}`, { headers: { authorization } })).status;
  await page.goto(`${address}/requests`);
  await main.getByRole("button", { name: "Follow live" }).click();
  await page.waitForURL(/live=true/);
  await main.getByText("Live", { exact: true }).nth(1).waitFor();
  assert.equal(await call("/secret/of-all", key), 403);
  assert.equal(await call("/seen-live", key), 200);
  await main.getByRole("button", { name: "/seen-live" }).waitFor();
  await main.getByRole("button", { name: "/secret/of-all" }).click();
  const drawer = page.getByRole("dialog", { name: "Call" });
  await drawer.getByText(/^rule [0-9a-f]{8} decides/).waitFor();
  await drawer.getByText("RULE_DENIED").first().waitFor();
  await page.reload();
  await drawer.getByText("RULE_DENIED").first().waitFor();
  await drawer.getByRole("button", { name: "Close" }).click();
  await main.getByRole("checkbox", { name: "Denied" }).click();
  await page.waitForURL(/denied=true/);
  await main.getByRole("button", { name: "/seen-live" }).waitFor({ state: "hidden" });

  await page.goto(`${address}/telemetry?range=1h`);
  const total = main.locator("dl > div", { hasText: "Total requests" });
  for (let seen = 0; !(await total.getByText(/^[1-9]/).count()); seen += 1) {
    assert.ok(seen < 60, "telemetry never counted the calls");
    await main.getByRole("button", { name: "Refresh", exact: true }).click();
    await page.waitForTimeout(500);
  }
  await main.getByRole("img", { name: "Request volume, as a chart" }).waitFor();
  await main.getByRole("button", { name: "Table" }).first().click();
  await main.getByRole("region", { name: "Request volume" }).last().waitFor();

  await page.goto(`${address}/history`);
  await main.getByText("proxy.create").waitFor();
}
