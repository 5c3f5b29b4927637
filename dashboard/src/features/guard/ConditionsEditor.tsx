import { Plus, X } from "lucide-react";
import { Button } from "@/ui/Button";
import { Checkbox } from "@/ui/Checkbox";
import { Field, Input } from "@/ui/Field";
import { Select } from "@/ui/Select";
import type { Conditions } from "./queries";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"];
const PRESENCES = [
  { value: "present" as const, label: "is there" },
  { value: "absent" as const, label: "is not there" },
];
type Presence = "present" | "absent";
interface Row {
  key: string;
  value: string;
  presence: Presence;
}
type Kind = "headers" | "query" | "body" | "claims";

const KINDS: Record<Kind, { label: string; key: string; isNode: boolean }> = {
  headers: { label: "Header", key: "Name, as a pattern", isNode: false },
  query: { label: "Query parameter", key: "Name, as a pattern", isNode: false },
  body: { label: "JSON body", key: "$.model", isNode: true },
  claims: { label: "Claim of the token", key: "$.roles[*]", isNode: true },
};

interface ConditionsEditorProps {
  value: Conditions;
  onChange: (value: Conditions) => void;
  kinds: Kind[];
}

/** When something applies: all of it must hold, and what is left empty holds. */
export function ConditionsEditor({ value, onChange, kinds }: ConditionsEditorProps) {
  const methods = value.methods ?? [];
  const { path } = value;
  const setPath = (pattern: string, presence: Presence) =>
    onChange({ ...value, path: pattern === "" ? null : { ...path, pattern, presence } });
  return (
    <fieldset className="flex flex-col gap-4 rounded-md border border-line p-4">
      <legend className="px-1 text-sm font-medium">When</legend>
      <div className="flex flex-wrap gap-x-4 gap-y-2">
        {METHODS.map((method) => (
          <Checkbox
            key={method}
            label={method}
            checked={methods.includes(method)}
            onChange={(on) =>
              onChange({
                ...value,
                methods: METHODS.filter((one) => (one === method ? on : methods.includes(one))),
              })
            }
          />
        ))}
      </div>
      <Field
        label="Path"
        optional
        help="A pattern (regular expression) that is looked for in the target’s path."
      >
        <div className="flex gap-2">
          <Input
            mono
            placeholder="^/v1/users"
            value={path?.pattern ?? ""}
            onChange={(event) => setPath(event.target.value, path?.presence ?? "present")}
          />
          <Select
            label="Path is there or not"
            className="w-36 shrink-0"
            options={[
              { value: "present" as const, label: "matches" },
              { value: "absent" as const, label: "does not" },
            ]}
            value={path?.presence ?? "present"}
            onChange={(presence) => setPath(path?.pattern ?? "", presence)}
          />
        </div>
      </Field>
      {kinds.map((kind) => (
        <Rows
          key={kind}
          kind={kind}
          rows={rowsOf(value, kind)}
          onChange={(rows) => onChange({ ...value, [kind]: conditionsOf(kind, rows) })}
        />
      ))}
    </fieldset>
  );
}

function rowsOf(value: Conditions, kind: Kind): Row[] {
  return (value[kind] ?? []).map((one) => ({
    key: "name" in one ? one.name.pattern : one.path,
    value: one.value?.pattern ?? "",
    presence: one.presence ?? "present",
  }));
}

function conditionsOf(kind: Kind, rows: Row[]) {
  return rows.map(({ key, value, presence }) => ({
    ...(KINDS[kind].isNode ? { path: key } : { name: { pattern: key } }),
    ...(value === "" ? {} : { value: { pattern: value } }),
    ...(presence === "present" ? {} : { presence }),
  }));
}

interface RowsProps {
  kind: Kind;
  rows: Row[];
  onChange: (rows: Row[]) => void;
}

function Rows({ kind, rows, onChange }: RowsProps) {
  const { label, key } = KINDS[kind];
  const put = (at: number, change: Partial<Row>) =>
    onChange(rows.map((row, index) => (index === at ? { ...row, ...change } : row)));
  return (
    <div className="flex flex-col gap-2">
      {rows.map((row, at) => (
        <div
          key={at}
          className="grid grid-cols-[minmax(0,1fr)_minmax(0,1fr)_auto] gap-2 sm:grid-cols-[minmax(0,1fr)_8.5rem_minmax(0,1fr)_auto]"
        >
          <Input
            mono
            aria-label={`${label} ${at + 1}: what`}
            placeholder={key}
            value={row.key}
            onChange={(event) => put(at, { key: event.target.value })}
          />
          <Select
            label={`${label} ${at + 1}: there or not`}
            options={PRESENCES}
            value={row.presence}
            onChange={(presence) => put(at, { presence })}
          />
          <Input
            mono
            aria-label={`${label} ${at + 1}: value`}
            placeholder="value, as a pattern"
            value={row.value}
            onChange={(event) => put(at, { value: event.target.value })}
          />
          <Button
            kind="quiet"
            aria-label={`Take out ${label} ${at + 1}`}
            onClick={() => onChange(rows.filter((_, index) => index !== at))}
          >
            <X aria-hidden className="size-4" />
          </Button>
        </div>
      ))}
      <Button
        small
        kind="quiet"
        className="self-start"
        onClick={() => onChange([...rows, { key: "", value: "", presence: "present" }])}
      >
        <Plus aria-hidden className="size-3.5" /> {label}
      </Button>
    </div>
  );
}
