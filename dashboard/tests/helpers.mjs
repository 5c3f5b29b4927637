/** Goes to a page by the sidebar. */
export async function open(page, name) {
  const menu = page.getByRole("navigation", { name: "Main" });
  await menu.getByRole("link", { name, exact: true }).click();
}

/** What is open over the page; what is said for a moment in its corner is no part of that. */
export function dialogOf(page) {
  return page.locator("[role=dialog]:not([data-type])");
}

/** What axe-core finds serious or critical on what is shown. */
export async function serious(tab, axe) {
  // Evaluated by the browser's own tools: the pages' policy would let no page do so.
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => globalThis.axe.run(document));
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(
      ({ id, nodes }) =>
        `${id}: ${nodes
          .slice(0, 2)
          .map(({ html }) => html.slice(0, 160))
          .join(" | ")}`,
    );
}
