import { useQueryClient } from "@tanstack/react-query";
import type { Tagged } from "@/api/client";
import { Field, Input } from "@/ui/Field";
import { Select } from "@/ui/Select";
import { Switch } from "@/ui/Switch";
import { tell } from "@/ui/Toasts";
import { ConditionsEditor } from "../guard/ConditionsEditor";
import { useDraft } from "../guard/draft";
import { EditorDialog } from "../guard/EditorDialog";
import { meterQuery, useMeterWrites, type Meter, type MeterInput, type Place } from "./queries";

const TYPES = [
  { value: "request_count" as const, label: "Calls" },
  { value: "response_value" as const, label: "A value in answers" },
];
const LOCATIONS = [
  { value: "body" as const, label: "JSON body" },
  { value: "header" as const, label: "Header" },
];
const WINDOWS = ["minute", "hour", "day", "month"] as const;

interface MeterEditorProps {
  place: Place;
  /** Absent: a new one. Saved over this version only. */
  loaded?: Tagged<Meter>;
  onClose: () => void;
}

export function MeterEditor({ place, loaded, onClose }: MeterEditorProps) {
  const draft = useDraft<MeterInput>(
    loaded ? inputOf(loaded.value) : { meterName: "", meterType: "request_count", limits: {} },
  );
  const { create, replace } = useMeterWrites(place);
  const queries = useQueryClient();
  const { value, set } = draft;
  const save = async (tag: string) => {
    if (loaded) await replace(loaded.value.meterId, value, tag);
    else await create(value);
    tell("The meter counts now");
  };
  const setLimit = (window: (typeof WINDOWS)[number], limit: number) =>
    set({ ...value, limits: { ...value.limits, [window]: Number.isNaN(limit) ? null : limit } });
  const reload = async (from: Tagged<Meter>) => {
    const now = await queries.query(meterQuery(place, from.value.meterId));
    return { value: inputOf(now.value), tag: now.tag };
  };
  return (
    <EditorDialog
      title={loaded ? "Meter" : "New meter"}
      draft={draft}
      tag={loaded?.tag}
      onSave={save}
      reload={loaded && (() => reload(loaded))}
      onClose={onClose}
    >
      <Field label="Name">
        <Input
          autoComplete="off"
          value={value.meterName}
          onChange={(event) => set({ ...value, meterName: event.target.value })}
        />
      </Field>
      <Field label="Counts">
        <Select
          options={TYPES}
          value={value.meterType}
          onChange={(meterType) =>
            set({
              ...value,
              meterType,
              extraction:
                meterType === "request_count"
                  ? null
                  : { location: "body", path: "$.usage.total_tokens" },
            })
          }
        />
      </Field>
      {value.extraction && <Extraction value={value} set={set} />}
      <fieldset className="grid grid-cols-2 gap-4 rounded-md border border-line p-4">
        <legend className="px-1 text-sm font-medium">Limits; empty ones only observe</legend>
        {WINDOWS.map((window) => (
          <Field key={window} label={`A ${window}`} optional>
            <Input
              type="number"
              min={1}
              value={value.limits?.[window] ?? ""}
              onChange={(event) => setLimit(window, event.target.valueAsNumber)}
            />
          </Field>
        ))}
      </fieldset>
      <ConditionsEditor
        kinds={["headers", "query", "body", "claims"]}
        value={value.conditions ?? {}}
        onChange={(conditions) => set({ ...value, conditions })}
      />
      <Switch
        label="Active"
        checked={value.meterActive ?? true}
        onChange={(meterActive) => set({ ...value, meterActive })}
      />
    </EditorDialog>
  );
}

function Extraction({ value, set }: { value: MeterInput; set: (value: MeterInput) => void }) {
  const isBody = value.extraction?.location === "body";
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field label="Where answers say it">
        <Select
          options={LOCATIONS}
          value={isBody ? "body" : "header"}
          onChange={(location) =>
            set({
              ...value,
              extraction:
                location === "body"
                  ? { location, path: "$.usage.total_tokens" }
                  : { location, name: "x-usage" },
            })
          }
        />
      </Field>
      <Field label={isBody ? "JSONPath" : "Header"}>
        <Input
          mono
          value={(isBody ? value.extraction?.path : value.extraction?.name) ?? ""}
          onChange={(event) => {
            const text = event.target.value;
            set({
              ...value,
              extraction: isBody
                ? { location: "body", path: text }
                : { location: "header", name: text },
            });
          }}
        />
      </Field>
    </div>
  );
}

function inputOf(meter: Meter): MeterInput {
  const { meterName, meterType, meterActive, extraction, conditions, limits } = meter;
  const place =
    extraction?.location === "body"
      ? { location: "body" as const, path: extraction.path }
      : { location: "header" as const, name: extraction?.name ?? "" };
  return {
    meterName,
    meterType,
    meterActive,
    extraction: extraction ? place : null,
    conditions,
    limits,
  };
}
