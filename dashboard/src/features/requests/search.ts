import { textOf } from "@/table/search";

/** Which calls are looked for, as the page's address keeps it. */
export interface RequestSearch {
  status?: string;
  method?: string;
  path?: string;
  code?: string;
  denied?: boolean;
  live?: boolean;
  /** The call whose details are open. */
  request?: string;
}

export function requestSearch(raw: Record<string, unknown>): RequestSearch {
  const on = (value: unknown) => (value === true ? true : undefined);
  return {
    status: textOf(raw.status),
    method: textOf(raw.method),
    path: textOf(raw.path),
    code: textOf(raw.code),
    denied: on(raw.denied),
    live: on(raw.live),
    request: textOf(raw.request),
  };
}

/** The API's words for it. */
export function requestQuery({ status, method, path, code, denied }: RequestSearch) {
  return { status, method, code, pathContains: path, denied };
}
