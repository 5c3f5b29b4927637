// How long the first page takes on a slow machine and network: 4 times less CPU, 1.6 Mbit/s, 150 ms.
//
//   node throttled.mjs PACKAGES CHROMIUM '{"app": URL, "email": …, "password": …}'
//
// Prints milliseconds until an organisation's first page is shown with its figures and the page
// answers: the end of the last task of 50 ms or more (W3C Long Tasks) before a second without any.
// Fails above 3 seconds.
import { createRequire } from "node:module";

const MOST_MS = 3_000;
const QUIET_MS = 1_000;
const RUNS = 3;

const [packages, executablePath, given] = process.argv.slice(2);
const { chromium } = createRequire(`${packages}/`)("playwright-core");
const { app, email, password } = JSON.parse(given);

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--headless=new"] });
const first = await browser.newContext();
const door = await first.newPage();
await door.goto(`${app}/sign-in`);
await door.getByLabel("E-mail").fill(email);
await door.getByLabel("Password").fill(password);
await door.getByRole("button", { name: "Sign in" }).click();
await door.waitForURL(/\/o\//);
const home = door.url();
const storageState = await first.storageState();
await first.close();

const times = [];
for (let run = 0; run < RUNS; run += 1) times.push(await measured());
await browser.close();
const best = Math.min(...times);
console.log(JSON.stringify({ interactiveMs: best, all: times }));
if (best > MOST_MS) {
  console.error(`the first page takes ${best} ms, at most ${MOST_MS} are allowed`);
  process.exitCode = 1;
}

/** One visit by a browser that has nothing of the page yet. */
async function measured() {
  const context = await browser.newContext({
    storageState,
    viewport: { width: 1440, height: 900 },
  });
  await context.addInitScript(() => {
    globalThis.lastTask = 0;
    new PerformanceObserver((list) => {
      for (const task of list.getEntries()) {
        globalThis.lastTask = Math.max(globalThis.lastTask, task.startTime + task.duration);
      }
    }).observe({ type: "longtask", buffered: true });
  });
  const page = await context.newPage();
  const tools = await context.newCDPSession(page);
  await tools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await tools.send("Network.enable");
  await tools.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 150,
    downloadThroughput: 1_600_000 / 8,
    uploadThroughput: 750_000 / 8,
  });
  await page.goto(home, { waitUntil: "commit" });
  const main = page.getByRole("main");
  await main.getByRole("heading", { level: 1 }).waitFor();
  await main.locator(".tabular", { hasText: /^\d+$/ }).nth(3).waitFor();
  const shown = await page.evaluate(() => performance.now());
  const quiet = await page.waitForFunction(
    ([shown, quietMs]) => {
      const since = Math.max(shown, globalThis.lastTask);
      return performance.now() - since >= quietMs && since;
    },
    [shown, QUIET_MS],
    { polling: 50 },
  );
  const at = await quiet.jsonValue();
  await context.close();
  return Math.round(at);
}
