import { Menu as Base } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";
import { cx } from "./cx";

/** A menu below what opens it. */
export function Menu({
  trigger,
  children,
  align = "end",
}: {
  trigger: ReactElement;
  children: ReactNode;
  align?: "start" | "end";
}) {
  return (
    <Base.Root modal={false}>
      <Base.Trigger render={trigger} />
      <Base.Portal>
        <Base.Positioner sideOffset={6} align={align} className="z-50">
          <Base.Popup className="min-w-48 rounded-md border border-line bg-surface p-1 shadow-lift outline-none">
            {children}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

export const itemClass =
  "flex w-full cursor-default items-center gap-2.5 rounded-sm px-2 py-1.5 text-left text-sm outline-none select-none data-highlighted:bg-hover";

interface ItemProps {
  onSelect?: () => void;
  render?: ReactElement;
  danger?: boolean;
  children: ReactNode;
}

export function MenuItem({ onSelect, render, danger, children }: ItemProps) {
  return (
    <Base.Item onClick={onSelect} render={render} className={cx(itemClass, danger && "text-bad")}>
      {children}
    </Base.Item>
  );
}

export function MenuLine() {
  return <Base.Separator className="my-1 h-px bg-line" />;
}
