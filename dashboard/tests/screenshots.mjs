// Pictures of the main pages for docs/screenshots, in both themes, 1440 and 390 pixels wide.
//
//   node screenshots.mjs PACKAGES CHROMIUM FOLDER '{"app": URL, "email": …, "password": …}'
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const [packages, executablePath, folder, given] = process.argv.slice(2);
const { chromium } = createRequire(`${packages}/`)("playwright-core");
const { app, email, password } = JSON.parse(given);

const PAGES = [
  ["dashboard", ""],
  ["performance", "/performance?range=1h"],
  ["proxy", "/proxies/$proxy"],
  ["rules", "/proxies/$proxy/rules"],
  ["requests", "/proxies/$proxy/requests"],
];

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--headless=new"] });
await mkdir(folder, { recursive: true });
for (const colorScheme of ["light", "dark"]) {
  for (const width of [1440, 390]) {
    const viewport = { width, height: width > 600 ? 900 : 844 };
    const page = await browser.newPage({ colorScheme, viewport });
    await page.goto(`${app}/sign-in`);
    await page.getByLabel("E-mail").fill(email);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(/\/o\//);
    const organisation = page.url();
    await page.goto(`${organisation}/proxies`);
    const first = page.getByRole("table").getByRole("link").first();
    const proxy = (await first.getAttribute("href")).split("/").at(-1);
    for (const [name, path] of PAGES) {
      await page.goto(organisation + path.replace("$proxy", proxy));
      await page.getByRole("main").getByRole("heading", { level: 1 }).waitFor();
      await page.waitForFunction(() => document.querySelectorAll(".animate-pulse").length === 0);
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${width}.png`) });
    }
    await page.close();
  }
}
await browser.close();
