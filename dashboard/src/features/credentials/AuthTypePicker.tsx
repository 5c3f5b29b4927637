import { Radio } from "@base-ui/react/radio";
import { RadioGroup } from "@base-ui/react/radio-group";
import type { AuthType, Side } from "./queries";
import { AUTH_TYPES, authTypesOf } from "./words";

interface AuthTypePickerProps {
  side: Side;
  value: AuthType;
  onChange: (value: AuthType) => void;
}

/** How a credential is presented or applied. */
export function AuthTypePicker({ side, value, onChange }: AuthTypePickerProps) {
  return (
    <RadioGroup
      aria-label="Kind"
      value={value}
      onValueChange={(next) => onChange(next)}
      className="grid gap-2 sm:grid-cols-2"
    >
      {authTypesOf(side).map((type) => (
        <Radio.Root
          key={type}
          value={type}
          aria-label={AUTH_TYPES[type].label}
          className="rounded-md border border-line bg-surface px-3 py-2 text-left hover:border-line-strong data-checked:border-accent data-checked:bg-accent-soft"
        >
          <span className="block text-sm font-medium">{AUTH_TYPES[type].label}</span>
          <span className="block text-xs text-soft">{AUTH_TYPES[type].about[side]}</span>
        </Radio.Root>
      ))}
    </RadioGroup>
  );
}
