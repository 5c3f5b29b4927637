import { dialogOf, open } from "../helpers.mjs";

/** Where regions are, whether a target answers, its next secret, and several records at once. */
export async function resources(page, { target = "echo", given = "what echo is given" }) {
  const main = page.getByRole("main");
  const dialog = dialogOf(page);
  await open(page, "Dashboard");
  await main.getByRole("img", { name: /^World map of regions/ }).waitFor();
  const regions = main.getByRole("region", { name: "Regions" });
  await regions.getByText(/^[1-9]\d* calls? in an hour/).waitFor();
  const actions = main.getByRole("region", { name: "Quick actions" });
  await actions.getByRole("link", { name: "New target", exact: true }).click();
  await page.waitForURL(/\/targets\/new$/);

  await open(page, "Targets");
  await main.getByRole("link", { name: target, exact: true }).click();
  await main.getByRole("button", { name: "Test" }).click();
  await dialog.getByRole("combobox", { name: "It is given" }).click();
  await page.getByRole("option", { name: given }).click();
  await dialog.getByRole("button", { name: "Test" }).click();
  await dialog.getByText(/^It answers \d{3}$/).waitFor();
  await dialog.getByRole("button", { name: "Close" }).first().click();

  await open(page, "Target Credentials");
  await main.getByRole("link", { name: given, exact: true }).click();
  await main.getByRole("button", { name: "Replace secret" }).click();
  await dialog.getByRole("combobox", { name: "Targets are given it" }).click();
  await page.getByRole("option", { name: "As a second one, when I switch to it" }).click();
  await dialog.getByLabel("Token", { exact: true }).fill("t-secret-that-comes");
  await dialog.getByRole("button", { name: "Replace" }).click();
  const life = main.getByRole("region", { name: "Life" });
  await life.getByText("A second secret waits").waitFor();
  await life.getByRole("button", { name: "Switch now" }).click();
  await life.getByText("Targets are given the second secret").waitFor();
  await life.getByRole("button", { name: "Switch back" }).click();
  await life.getByText("A second secret waits").waitFor();
  await life.getByRole("button", { name: "Drop it" }).click();
  await life.getByText("A second secret waits").waitFor({ state: "hidden" });

  await makeTwo(page);
  await open(page, "Targets");
  await main.getByLabel("Search targets").fill("one of several");
  await page.waitForURL(/search=one/);
  await main.getByText("1–2 of 2").waitFor();
  await main.getByRole("checkbox", { name: "All on this page" }).click();
  await main.getByText("2 selected").waitFor();
  await main.getByRole("button", { name: "Delete" }).click();
  await dialog.getByText("No proxy uses it").waitFor();
  await dialog.getByRole("button", { name: "Delete" }).click();
  await main.getByText("Nothing matches").waitFor();

  // Something depends on this one: its number has to be written out.
  await open(page, "Target Credentials");
  await main.getByLabel("Search target credentials").fill(given);
  await page.waitForURL(/search=/);
  await main.getByRole("checkbox", { name: "All on this page" }).click();
  await main.getByRole("button", { name: "Delete" }).click();
  await dialog.getByText("first proxy").waitFor();
  await dialog.getByLabel("Write “one target credential” to confirm").waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();
}

async function makeTwo(page) {
  const path = new URL(page.url()).pathname.replace(
    /^\/app\/o\/([^/]+)\/.*/,
    "/clients/$1/targets",
  );
  await page.evaluate(async (path) => {
    const { data } = await (await fetch("/regions")).json();
    const targetRegion = data[0].regionName;
    for (const targetName of ["one of several", "other one of several"]) {
      const body = { targetName, targetBaseURL: "https://example.com", targetRegion };
      const headers = { "content-type": "application/json" };
      await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    }
  }, path);
}
