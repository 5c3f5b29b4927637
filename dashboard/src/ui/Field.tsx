import { Field as Base } from "@base-ui/react/field";
import type { ComponentProps, ReactNode } from "react";
import { cx } from "./cx";

interface FieldProps {
  label: string;
  /** What to write, below the field. */
  help?: ReactNode;
  /** What is wrong with what is there. */
  error?: string;
  optional?: boolean;
  children: ReactNode;
}

/** A labelled control; what is said about it belongs to it for screen readers too. */
export function Field({ label, help, error, optional, children }: FieldProps) {
  return (
    <Base.Root invalid={error !== undefined} className="flex min-w-0 flex-col gap-1.5">
      <Base.Label className="flex items-baseline gap-2 text-sm font-medium">
        {label}
        {optional && <span className="text-xs font-normal text-faint">optional</span>}
      </Base.Label>
      {children}
      {error !== undefined && (
        <Base.Error match className="text-xs font-medium text-bad">
          {error}
        </Base.Error>
      )}
      {help && <Base.Description className="text-xs text-soft">{help}</Base.Description>}
    </Base.Root>
  );
}

export function Input({ mono, ...rest }: ComponentProps<"input"> & { mono?: boolean }) {
  return (
    <Base.Control
      {...rest}
      render={<input />}
      className={cx("field-box h-8", mono && "font-mono text-xs", rest.className)}
    />
  );
}

/** A secret that somebody writes: neither shown, completed nor remembered. */
export function SecretInput(props: ComponentProps<"input">) {
  return <Input {...props} type="password" autoComplete="new-password" spellCheck={false} mono />;
}

export function TextArea({ className, ...rest }: ComponentProps<"textarea">) {
  return (
    <Base.Control
      render={<textarea spellCheck={false} {...rest} />}
      className={cx("field-box min-h-20 py-2 font-mono text-xs leading-5", className)}
    />
  );
}
