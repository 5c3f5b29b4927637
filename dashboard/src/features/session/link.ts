/** Tokens of links: behind `#`, so that they reach no server's log. */
import { useEffect } from "react";

export function tokenOfLink(): string {
  return new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
}

/** A token is good once; it has no business in the history of the browser. */
export function useTokenOnce() {
  useEffect(() => history.replaceState(history.state, "", location.pathname), []);
}
