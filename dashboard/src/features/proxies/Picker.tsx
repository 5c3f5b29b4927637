import { Plus } from "lucide-react";
import { lazy, Suspense, type ReactNode } from "react";
import { Button } from "@/ui/Button";
import { Field } from "@/ui/Field";
import type { Option } from "@/ui/Select";

const load = () => import("./PickerBox");
const OneBox = lazy(async () => ({ default: (await load()).OneBox }));
const ManyBox = lazy(async () => ({ default: (await load()).ManyBox }));

interface Common {
  label: string;
  help: string;
  error?: string;
  options: Option[];
  disabled?: boolean;
  onNew: () => void;
}

export interface One extends Common {
  value: string;
  onChange: (value: string) => void;
}

export interface Many extends Common {
  value: string[];
  onChange: (value: string[]) => void;
}

/** One of many records, by name, or a new one. */
export function Picker(props: One) {
  return (
    <Frame {...props}>
      <OneBox {...props} />
    </Frame>
  );
}

/** Several of them. */
export function MultiPicker(props: Many) {
  return (
    <Frame {...props}>
      <ManyBox {...props} />
    </Frame>
  );
}

function Frame({
  label,
  help,
  error,
  disabled,
  onNew,
  children,
}: Common & { children: ReactNode }) {
  return (
    <Field label={label} help={help} error={error}>
      <div className="flex gap-2">
        <div className="min-w-0 flex-1">
          <Suspense fallback={<div className="field-box h-8" />}>{children}</Suspense>
        </div>
        <Button disabled={disabled} onClick={onNew} aria-label={`New: ${label}`}>
          <Plus aria-hidden className="size-4" /> New
        </Button>
      </div>
    </Field>
  );
}
