import { cloneElement, type ReactElement } from "react";

/** A record's name as the link to it; names are anything, in any direction of writing. */
export function nameCell(name: string, link: ReactElement<{ children?: unknown; title?: string }>) {
  return (
    <span className="block max-w-[16rem] truncate font-medium lg:max-w-sm" dir="auto">
      {cloneElement(link, { title: name }, name)}
    </span>
  );
}
