import { Button as Base } from "@base-ui/react/button";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";

const KINDS = {
  primary: "bg-solid text-on-solid hover:bg-solid-hover border-transparent",
  plain: "bg-surface text-ink border-line-strong hover:bg-hover",
  quiet: "bg-transparent text-soft border-transparent hover:bg-hover hover:text-ink",
  danger: "bg-bad text-surface border-transparent hover:opacity-90",
};

export function buttonClass(kind: keyof typeof KINDS = "plain", small = false): string {
  return cx(
    "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md border font-medium whitespace-nowrap transition-colors select-none disabled:cursor-not-allowed disabled:opacity-50 data-disabled:opacity-50",
    small ? "h-7 px-2 text-xs" : "h-8 px-3 text-sm",
    KINDS[kind],
  );
}

export interface ButtonProps extends Omit<ComponentProps<typeof Base>, "className"> {
  kind?: keyof typeof KINDS;
  small?: boolean;
  busy?: boolean;
  className?: string;
  children?: ReactNode;
}

export function Button({ kind, small, busy, className, disabled, children, ...rest }: ButtonProps) {
  return (
    <Base
      {...rest}
      disabled={disabled ?? busy}
      aria-busy={busy ?? undefined}
      className={cx(buttonClass(kind, small), className)}
    >
      {children}
      {busy && (
        <span className="appear-late size-3 animate-spin rounded-full border-2 border-current border-r-transparent" />
      )}
    </Base>
  );
}
