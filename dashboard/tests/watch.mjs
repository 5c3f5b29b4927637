/** Collects what no page may do: break its own policy, or write errors to the console. */
export function watch(page) {
  const seen = { violations: [], errors: [] };
  page.on("console", (message) => {
    if (message.type() !== "error") return;
    const text = message.text();
    // Chromium writes a line for every answer that is no success; flows say which they expect.
    if (/^Failed to load resource.*status of 4\d\d/.test(text)) return;
    const list = /Content Security Policy|Trusted/.test(text) ? seen.violations : seen.errors;
    list.push(text);
  });
  page.on("pageerror", (error) => seen.errors.push(String(error)));
  return seen;
}
