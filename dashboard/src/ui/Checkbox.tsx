import { Checkbox as Base } from "@base-ui/react/checkbox";
import { Check, Minus } from "lucide-react";

interface CheckboxProps {
  label: string;
  /** The label is for screen readers only. */
  bare?: boolean;
  checked: boolean;
  some?: boolean;
  onChange: (checked: boolean) => void;
}

export function Checkbox({ label, bare, checked, some, onChange }: CheckboxProps) {
  const box = (
    <Base.Root
      checked={checked}
      indeterminate={some}
      onCheckedChange={onChange}
      aria-label={bare ? label : undefined}
      className="grid size-4 shrink-0 place-items-center rounded-sm border border-line-strong bg-surface data-checked:border-transparent data-checked:bg-solid data-indeterminate:border-transparent data-indeterminate:bg-solid"
    >
      <Base.Indicator className="text-on-solid">
        {some ? <Minus aria-hidden className="size-3" /> : <Check aria-hidden className="size-3" />}
      </Base.Indicator>
    </Base.Root>
  );
  if (bare) return box;
  return (
    <label className="flex items-center gap-2.5 text-sm">
      {box}
      {label}
    </label>
  );
}
