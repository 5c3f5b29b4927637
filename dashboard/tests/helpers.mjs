/** Goes to a page by the sidebar. */
export async function open(page, name) {
  const menu = page.getByRole("navigation", { name: "Main" });
  await menu.getByRole("link", { name, exact: true }).click();
}

/** What is open over the page; what is said for a moment in its corner is no part of that. */
export function dialogOf(page) {
  return page.locator("[role=dialog]:not([data-type])");
}
