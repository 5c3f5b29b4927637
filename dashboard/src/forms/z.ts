/** What forms check before they are sent. The small form of zod: the large one is a fifth of a page. */
import * as z from "zod/mini";

// Its compiled parsers are made of text, which the pages' policy refuses.
z.config({ jitless: true });

/** A record's name. */
export const name = z
  .string()
  .check(z.trim(), z.minLength(1, "Give it a name."), z.maxLength(200, "At most 200 characters."));

export { z };
