// Drives the dashboard in Chromium as a newcomer would, from the set-up link to the first call.
//
//   node browser.mjs PACKAGES CHROMIUM '{"link": URL, "target": URL}' [SCREENSHOTS]
//
// Prints what it saw, as JSON; fails with what it did not.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { conflicts } from "./flows/conflicts.mjs";
import { edits } from "./flows/edits.mjs";
import { everyPage } from "./flows/every-page.mjs";
import { firstProxy } from "./flows/first-proxy.mjs";
import { guard } from "./flows/guard.mjs";
import { lists } from "./flows/lists.mjs";
import { notifications } from "./flows/notifications.mjs";
import { organisation } from "./flows/organisation.mjs";
import { palette } from "./flows/palette.mjs";
import { reference } from "./flows/reference.mjs";
import { resources } from "./flows/resources.mjs";
import { roles } from "./flows/roles.mjs";
import { traffic } from "./flows/traffic.mjs";
import { watch } from "./watch.mjs";

const [packages, executablePath, given] = process.argv.slice(2);
const require = createRequire(`${packages}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const { link, target } = JSON.parse(given);

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--headless=new"] });
const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
await context.grantPermissions(["clipboard-read", "clipboard-write"]);
const page = await context.newPage();
// A machine that runs all tests at once is slow.
page.setDefaultTimeout(90_000);
const seen = watch(page);
try {
  const made = await firstProxy(page, { link, target });
  await lists(page, made);
  await guard(page, made);
  await traffic(page, made);
  await conflicts(page, made);
  await resources(page, made);
  await palette(page, { axe });
  await organisation(page);
  await notifications(page);
  await roles(page, made);
  await everyPage(page, { ...made, axe });
  await edits(page, made);
  await reference(page);
  console.log(JSON.stringify(seen));
} catch (error) {
  const text = await page.locator("body").innerText();
  console.error(`${error.stack}\nat ${page.url()}:\n${text}\n${JSON.stringify(seen)}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
