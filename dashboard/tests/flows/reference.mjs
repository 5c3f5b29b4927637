import assert from "node:assert/strict";

/** The API's reference: read, and tried with one's own session; nothing of it is asked elsewhere. */
export async function reference(page) {
  const { origin } = new URL(page.url());
  const elsewhere = [];
  const note = (request) => {
    const isOurs = request.url().startsWith(origin) || request.url().startsWith("data:");
    if (!isOurs) elsewhere.push(request.url());
  };
  page.on("request", note);
  await page.goto(`${origin}/docs`);
  await page.getByRole("heading", { name: /Core API/ }).waitFor();
  const tag = page.locator("#operations-tag-regions");
  await tag.click();
  const operation = page.locator("#operations-regions-list_regions");
  await operation.getByRole("button").first().click();
  await operation.getByRole("button", { name: "Execute" }).click();
  const answer = operation.locator(".live-responses-table");
  await answer.getByText("regionConnected").first().waitFor();
  page.off("request", note);
  assert.deepEqual(elsewhere, []);
}
