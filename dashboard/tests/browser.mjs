// Drives the dashboard in Chromium as a newcomer would, from the set-up link to the first call.
//
//   node browser.mjs PACKAGES CHROMIUM '{"link": URL, "target": URL}' [SCREENSHOTS]
//
// Prints what it saw, as JSON; fails with what it did not.
import { createRequire } from "node:module";
import { firstProxy } from "./flows/first-proxy.mjs";
import { edits } from "./flows/edits.mjs";
import { lists } from "./flows/lists.mjs";
import { watch } from "./watch.mjs";

const [packages, executablePath, given] = process.argv.slice(2);
const { chromium } = createRequire(`${packages}/`)("playwright-core");
const { link, target } = JSON.parse(given);

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--headless=new"] });
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
await context.grantPermissions(["clipboard-read", "clipboard-write"]);
const page = await context.newPage();
page.setDefaultTimeout(15_000);
const seen = watch(page);
try {
  const made = await firstProxy(page, { link, target });
  await lists(page, made);
  await edits(page, made);
  console.log(JSON.stringify({ ...made, ...seen }));
} catch (error) {
  const text = await page.locator("body").innerText();
  console.error(`${error.stack}\nat ${page.url()}:\n${text}\n${JSON.stringify(seen)}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
