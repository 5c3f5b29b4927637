import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Tagged } from "@/api/client";
import { Field, Input, TextArea } from "@/ui/Field";
import { Select } from "@/ui/Select";
import { Switch } from "@/ui/Switch";
import { tell } from "@/ui/Toasts";
import { ConditionsEditor } from "./ConditionsEditor";
import { useDraft } from "./draft";
import { PreviewTrial } from "./PreviewPanel";
import { EditorDialog } from "./EditorDialog";
import {
  filterQuery,
  useGuardWrites,
  type Filter,
  type FilterInput,
  type Owner,
  type Place,
} from "./queries";

const OPERATIONS = [
  { value: "destroy" as const, label: "Destroy", about: "these go" },
  { value: "retain" as const, label: "Retain", about: "only these stay" },
];

interface FilterEditorProps {
  place: Place;
  owner: Owner;
  /** Absent: a new one. Saved over this version only. */
  loaded?: Tagged<Filter>;
  onClose: () => void;
}

export function FilterEditor({ place, owner, loaded, onClose }: FilterEditorProps) {
  const draft = useDraft<FilterInput>(
    loaded ? inputOf(loaded.value) : { operation: "destroy", paths: [] },
  );
  const { createFilter, replaceFilter } = useGuardWrites(owner);
  const queries = useQueryClient();
  const { value, set } = draft;
  const id = loaded?.value.filterId;
  const written = useMemo(
    () => ({ layer: owner.layer, filter: value, replaces: id }),
    [owner.layer, value, id],
  );
  const save = async (tag: string) => {
    if (loaded) await replaceFilter(loaded.value.filterId, value, tag);
    else await createFilter(value);
    tell("The filter counts now");
  };
  const reload = async (from: Tagged<Filter>) => {
    const now = await queries.query(filterQuery(owner, from.value.filterId));
    return { value: inputOf(now.value), tag: now.tag };
  };
  return (
    <EditorDialog
      title={loaded ? "Filter" : `New filter of ${owner.name}`}
      draft={draft}
      tag={loaded?.tag}
      onSave={save}
      reload={loaded && (() => reload(loaded))}
      trial={
        <PreviewTrial
          place={place}
          draft={written}
          credentialId={owner.layer === "proxyCredential" ? owner.id : undefined}
        />
      }
      onClose={onClose}
    >
      <Field label="Operation">
        <Select
          options={OPERATIONS}
          value={value.operation}
          onChange={(operation) => set({ ...value, operation })}
        />
      </Field>
      <Field label="Paths" help="JSONPaths (RFC 9535), one a line, such as $.users[*].email">
        <TextArea
          value={value.paths.join("\n")}
          placeholder="$..password"
          onChange={(event) => set({ ...value, paths: event.target.value.split("\n") })}
        />
      </Field>
      <ConditionsEditor
        kinds={["headers", "query", "claims"]}
        value={value}
        onChange={({ methods, path, headers, query, claims }) =>
          set({ ...value, methods, path, headers, query, claims })
        }
      />
      <Field label="Notes" optional>
        <Input
          value={value.notes ?? ""}
          onChange={(event) => set({ ...value, notes: event.target.value || null })}
        />
      </Field>
      <Switch
        label="Active"
        checked={value.filterActive ?? true}
        onChange={(filterActive) => set({ ...value, filterActive })}
      />
    </EditorDialog>
  );
}

function inputOf(filter: Filter): FilterInput {
  const { operation, paths, filterActive, notes, methods, path, headers, query, claims } = filter;
  return { operation, paths, filterActive, notes, methods, path, headers, query, claims };
}
