import { oneOf, textOf } from "@/table/search";

/** Whose lists there are, in the API's words: the organisation's, one's own, everybody's. */
export const WHOSE = ["client", "user", "system"] as const;
export type Whose = (typeof WHOSE)[number];

/** What is looked for, as the page's address keeps it. */
export interface NotificationSearch {
  whose?: Whose;
  unread?: boolean;
  search?: string;
  /** The one that is open, `WHOSE:ID`. */
  open?: string;
}

export function notificationSearch(raw: Record<string, unknown>): NotificationSearch {
  return {
    whose: oneOf(raw.whose, WHOSE),
    unread: raw.unread === true ? true : undefined,
    search: textOf(raw.search),
    open: opened(textOf(raw.open)) && textOf(raw.open),
  };
}

/** Which one `WHOSE:ID` names. */
export function opened(open: string | undefined): { whose: Whose; id: string } | undefined {
  const [word, id] = open?.split(":") ?? [];
  const whose = oneOf(word, WHOSE);
  return whose && id ? { whose, id } : undefined;
}
