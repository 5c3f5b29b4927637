import { Switch as Base } from "@base-ui/react/switch";

interface SwitchProps {
  label: string;
  help?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
}

export function Switch({ label, help, checked, onChange }: SwitchProps) {
  return (
    <label className="flex items-start gap-3 text-sm">
      <Base.Root
        checked={checked}
        onCheckedChange={onChange}
        className="relative mt-0.5 h-4.5 w-8 shrink-0 rounded-full bg-line-strong p-0.5 transition-colors data-checked:bg-ok"
      >
        <Base.Thumb className="block size-3.5 rounded-full bg-surface shadow transition-transform data-checked:translate-x-3.5" />
      </Base.Root>
      <span>
        <span className="font-medium">{label}</span>
        {help && <span className="block text-xs text-soft">{help}</span>}
      </span>
    </label>
  );
}
