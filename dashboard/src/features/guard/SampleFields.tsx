import { Field, Input, TextArea } from "@/ui/Field";
import { Select } from "@/ui/Select";

/** A call that somebody makes up, as its form has it. */
export interface Sample {
  method: string;
  path: string;
  query: string;
  headers: string;
  body: string;
}

export const FIRST_SAMPLE: Sample = { method: "GET", path: "/", query: "", headers: "", body: "" };

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"].map((value) => ({
  value,
  label: value,
}));

/** As the API takes it. */
export function callOf({ method, path, query, headers, body }: Sample) {
  return {
    method,
    path: path.startsWith("/") ? path : `/${path}`,
    query: query === "" ? null : query.replace(/^\?/, ""),
    headers: pairsOf(headers),
    body: body === "" ? null : body,
  };
}

/** `Name: value` lines. */
export function pairsOf(lines: string): [string, string][] {
  return lines
    .split("\n")
    .filter((line) => line.includes(":"))
    .map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    });
}

interface SampleFieldsProps {
  sample: Sample;
  onChange: (sample: Sample) => void;
}

export function SampleFields({ sample, onChange }: SampleFieldsProps) {
  const text = (name: keyof Sample) => ({
    value: sample[name],
    onChange: (event: { target: { value: string } }) =>
      onChange({ ...sample, [name]: event.target.value }),
  });
  return (
    <>
      <div className="flex gap-2">
        <Select
          label="Method"
          className="w-28 shrink-0"
          options={METHODS}
          value={sample.method}
          onChange={(method) => onChange({ ...sample, method })}
        />
        <Input mono aria-label="Path" placeholder="/v1/users" {...text("path")} />
      </div>
      <Field label="Query" optional>
        <Input mono placeholder="a=1&b=2" {...text("query")} />
      </Field>
      <Field label="Headers" optional>
        <TextArea className="min-h-14" placeholder="X-Team: payments" {...text("headers")} />
      </Field>
      <Field label="JSON body" optional>
        <TextArea className="min-h-14" placeholder='{"model": "large"}' {...text("body")} />
      </Field>
    </>
  );
}
