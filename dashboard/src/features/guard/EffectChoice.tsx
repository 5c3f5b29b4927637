import { ToggleGroup } from "@base-ui/react/toggle-group";
import { Toggle } from "@base-ui/react/toggle";
import { Check, Ban } from "lucide-react";

const CHOICES = [
  { value: "allow" as const, label: "Allow", icon: Check },
  { value: "deny" as const, label: "Deny", icon: Ban },
];

/** What a rule says. */
export function EffectChoice({
  value,
  onChange,
}: {
  value: "allow" | "deny";
  onChange: (value: "allow" | "deny") => void;
}) {
  return (
    <ToggleGroup
      aria-label="Effect"
      value={[value]}
      onValueChange={([next]) => {
        if (next === "allow" || next === "deny") onChange(next);
      }}
      className="inline-flex self-start rounded-md border border-line-strong p-0.5"
    >
      {CHOICES.map(({ value: one, label, icon: Icon }) => (
        <Toggle
          key={one}
          value={one}
          className="flex items-center gap-1.5 rounded-sm px-3 py-1 text-sm text-soft data-pressed:bg-solid data-pressed:font-medium data-pressed:text-on-solid"
        >
          <Icon aria-hidden className="size-3.5" /> {label}
        </Toggle>
      ))}
    </ToggleGroup>
  );
}
