/** Goes to a page by the sidebar. */
export async function open(page, name) {
  const menu = page.getByRole("navigation", { name: "Main" });
  await menu.getByRole("link", { name, exact: true }).click();
}
