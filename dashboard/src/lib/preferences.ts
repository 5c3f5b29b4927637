/** All that this dashboard keeps in the browser: how it looks, and where one was last. */

export type Theme = "light" | "dark" | "system";

const dark = matchMedia("(prefers-color-scheme: dark)");

export function theme(): Theme {
  const kept = localStorage.getItem("theme");
  return kept === "light" || kept === "dark" ? kept : "system";
}

export function setTheme(next: Theme): void {
  if (next === "system") localStorage.removeItem("theme");
  else localStorage.setItem("theme", next);
  show();
}

/** Follows the system as long as nobody chose. */
export function followSystem(): void {
  dark.addEventListener("change", show);
  show();
}

function show() {
  const chosen = theme();
  const shown = chosen === "system" ? (dark.matches ? "dark" : "light") : chosen;
  document.documentElement.dataset.theme = shown;
}

export function lastOrganisation(): string | null {
  return localStorage.getItem("organisation");
}

export function setLastOrganisation(clientId: string): void {
  localStorage.setItem("organisation", clientId);
}
