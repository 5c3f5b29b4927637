import assert from "node:assert/strict";
import { serious } from "../helpers.mjs";

/** Names that try to be more than names. */
const HOSTILE = [
  `<script>document.title = "owned"</script><img src=x onerror="document.title='owned'">`,
  `"><svg onload=alert(1)> {{7*7}} \${7*7} '; DROP TABLE proxy; --`,
  "‮مرحبا بالعالم‬ 👩‍👩‍👧‍👦🏳️‍🌈 Ω≈ç√∫ 部落格",
  "W".repeat(200),
];

export const OF_ORGANISATION = [
  "",
  "/performance",
  "/notifications",
  "/proxies",
  "/proxies/new",
  "/proxy-credentials",
  "/proxy-credentials/new",
  "/targets",
  "/targets/new",
  "/target-credentials",
  "/target-credentials/new",
  "/users",
  "/audit",
  "/usage",
  "/settings",
];
export const OF_PROXY = [
  "",
  "/rules",
  "/filters",
  "/meters",
  "/requests",
  "/telemetry",
  "/history",
  "/settings",
];
export const OF_ACCOUNT = ["/me", "/me/keys", "/me/notifications", "/me/security"];

/** From this on people notice that what they read moves (web.dev/cls). */
const MOST_SHIFT = 0.1;

/**
 * Each page in both themes, wide and narrow, with hostile names in it: axe finds nothing serious,
 * nothing reaches beyond the screen, moves while it is read, or is executed.
 */
export async function everyPage(page, { address, axe }) {
  const app = address.slice(0, address.indexOf("/o/"));
  const organisation = address.slice(0, address.indexOf("/proxies/"));
  await fill(page, organisation);
  const addresses = [
    ...OF_ORGANISATION.map((path) => organisation + path),
    ...OF_PROXY.map((path) => address + path),
    ...OF_ACCOUNT.map((path) => app + path),
  ];
  const workers = ["light", "dark"].map((theme) => visit(page, { theme, addresses, axe }));
  const found = (await Promise.all(workers)).flat();
  assert.deepEqual(found, []);
}

/** Targets by hostile names, over the API that the pages use. */
async function fill(page, organisation) {
  const path = `${new URL(organisation).pathname.replace("/app/o/", "/clients/")}/targets`;
  const statuses = await page.evaluate(
    async ([path, names]) => {
      const { data } = await (await fetch("/regions")).json();
      const post = async (targetName) => {
        const body = {
          targetName,
          targetBaseURL: "https://example.com",
          targetRegion: data[0].regionName,
        };
        const headers = { "content-type": "application/json" };
        return (await fetch(path, { method: "POST", headers, body: JSON.stringify(body) })).status;
      };
      return Promise.all(names.map(post));
    },
    [path, HOSTILE],
  );
  assert.deepEqual(
    statuses,
    HOSTILE.map(() => 201),
  );
}

/** Adds up how much of what is shown moves by itself, as web-vitals does for one page. */
function countShifts() {
  globalThis.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!entry.hadRecentInput) globalThis.shifted += entry.value;
    }
  }).observe({ type: "layout-shift", buffered: true });
}

async function visit(page, { theme, addresses, axe }) {
  const storageState = await page.context().storageState();
  const browser = page.context().browser();
  const context = await browser.newContext({ storageState, colorScheme: theme });
  await context.addInitScript(countShifts);
  const tab = await context.newPage();
  tab.on("dialog", (dialog) => dialog.dismiss().then(() => found.push(`a dialog in ${theme}`)));
  const found = [];
  for (const address of addresses) {
    await tab.setViewportSize({ width: 1440, height: 900 });
    await tab.goto(address);
    await settled(tab);
    const where = `${theme} ${new URL(address).pathname.replace(/[0-9a-f-]{36}/g, "…")}`;
    assert.equal(await tab.evaluate(() => document.documentElement.dataset.theme), theme);
    const shift = await tab.evaluate(() => globalThis.shifted);
    if (shift > MOST_SHIFT) found.push(`${where}: shifts by ${shift.toFixed(3)}`);
    if ((await tab.title()) === "owned") found.push(`${where}: a name was executed`);
    found.push(...(await serious(tab, axe)).map((what) => `${where}: ${what}`));
    for (const width of [1440, 360]) {
      await tab.setViewportSize({ width, height: 800 });
      // Charts follow a screen that changes within some frames.
      const fits = () => document.documentElement.scrollWidth <= innerWidth;
      const isBeyond = await tab.waitForFunction(fits, null, { timeout: 5000 }).catch(() => true);
      if (isBeyond === true) {
        const beyond = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        found.push(`${where}: ${beyond} px beyond ${width}`);
      }
    }
  }
  await context.close();
  return found;
}

/** Nothing is on its way any more, and nothing fades in. */
async function settled(tab) {
  await tab.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
  await tab.waitForFunction(
    () =>
      document.querySelectorAll(".animate-pulse").length === 0 &&
      document.getAnimations().every((one) => one.playState !== "running"),
  );
}
