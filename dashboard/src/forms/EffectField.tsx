import { Field } from "@/ui/Field";
import { Select } from "@/ui/Select";

const OPTIONS = [
  { value: "allow" as const, label: "Allow", about: "unless a rule denies" },
  { value: "deny" as const, label: "Deny", about: "unless a rule allows" },
];

/** The default effect of a layer of rules. */
export function EffectField({
  value,
  onChange,
}: {
  value: "allow" | "deny";
  onChange: (value: "allow" | "deny") => void;
}) {
  return (
    <Field
      label="Without a matching rule"
      help="What happens to a call that none of the rules attached here matches."
    >
      <Select options={OPTIONS} value={value} onChange={onChange} />
    </Field>
  );
}
