// Opens pages in Chromium and makes each call from the page that is named with it.
//
//   node pages.mjs PACKAGES CHROMIUM '[{"page": URL, "url": URL, "options": {…}, "read": ["x-a"]}, …]'
//
// Prints what the pages got to see: status, text and headers, or that the browser kept it from them.
import { createRequire } from "node:module";

const [packages, executablePath, calls] = process.argv.slice(2);
const { chromium } = createRequire(`${packages}/`)("playwright-core");

const browser = await chromium.launch({
  executablePath,
  args: ["--no-sandbox", "--headless=new", "--host-resolver-rules=MAP *.example.test 127.0.0.1"],
});
const seen = [];
for (const { page: address, url, options, read } of JSON.parse(calls)) {
  const page = await browser.newPage();
  await page.goto(address);
  seen.push(
    await page.evaluate(
      async ([url, options, read]) => {
        try {
          const answer = await fetch(url, options);
          const headers = Object.fromEntries(read.map((name) => [name, answer.headers.get(name)]));
          return { status: answer.status, text: await answer.text(), headers };
        } catch (error) {
          return { kept: error.name };
        }
      },
      [url, options ?? {}, read ?? []],
    ),
  );
  await page.close();
}
await browser.close();
console.log(JSON.stringify(seen));
