import { useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { Tagged } from "@/api/client";
import { EffectChoice } from "./EffectChoice";
import { Field, Input } from "@/ui/Field";
import { Switch } from "@/ui/Switch";
import { tell } from "@/ui/Toasts";
import { ConditionsEditor } from "./ConditionsEditor";
import { useDraft } from "./draft";
import { EvaluateTrial } from "./EvaluatePanel";
import { FIRST_SAMPLE } from "./SampleFields";
import { EditorDialog } from "./EditorDialog";
import {
  ruleQuery,
  useGuardWrites,
  type Owner,
  type Place,
  type Rule,
  type RuleInput,
} from "./queries";

interface RuleEditorProps {
  place: Place;
  owner: Owner;
  /** Absent: a new one. Saved over this version only. */
  loaded?: Tagged<Rule>;
  onClose: () => void;
}

export function RuleEditor({ place, owner, loaded, onClose }: RuleEditorProps) {
  const draft = useDraft<RuleInput>(
    loaded ? inputOf(loaded.value) : { effect: "deny", priority: 500 },
  );
  const { createRule, replaceRule } = useGuardWrites(owner);
  const queries = useQueryClient();
  const { value, set } = draft;
  const [sample, setSample] = useState(FIRST_SAMPLE);
  const id = loaded?.value.ruleId;
  const written = useMemo(
    () => ({ layer: owner.layer, rule: value, replaces: id }),
    [owner.layer, value, id],
  );
  const save = async (tag: string) => {
    if (loaded) await replaceRule(loaded.value.ruleId, value, tag);
    else await createRule(value);
    tell("The rule counts now");
  };
  const reload = async (from: Tagged<Rule>) => {
    const now = await queries.query(ruleQuery(owner, from.value.ruleId));
    return { value: inputOf(now.value), tag: now.tag };
  };
  return (
    <EditorDialog
      title={loaded ? "Rule" : `New rule of ${owner.name}`}
      draft={draft}
      tag={loaded?.tag}
      onSave={save}
      reload={loaded && (() => reload(loaded))}
      trial={
        <EvaluateTrial
          place={place}
          sample={sample}
          onSample={setSample}
          draft={written}
          credentialId={owner.layer === "proxyCredential" ? owner.id : undefined}
        />
      }
      onClose={onClose}
    >
      <EffectChoice value={value.effect} onChange={(effect) => set({ ...value, effect })} />
      <Field
        label="Priority"
        help="0 to 1000. The highest rule that matches decides; at equal priority deny."
      >
        <Input
          type="number"
          min={0}
          max={1000}
          value={value.priority ?? 500}
          onChange={(event) => set({ ...value, priority: event.target.valueAsNumber || 0 })}
        />
      </Field>
      <ConditionsEditor
        kinds={["headers", "query", "body", "claims"]}
        value={value}
        onChange={(conditions) => set({ ...value, ...conditions })}
      />
      <Field label="Notes" optional>
        <Input
          value={value.notes ?? ""}
          onChange={(event) => set({ ...value, notes: event.target.value || null })}
        />
      </Field>
      <Switch
        label="Active"
        checked={value.ruleActive ?? true}
        onChange={(ruleActive) => set({ ...value, ruleActive })}
      />
    </EditorDialog>
  );
}

/** What of a rule somebody may write. */
function inputOf(rule: Rule): RuleInput {
  const { effect, priority, ruleActive, notes, methods, path, headers, query, body, claims } = rule;
  return { effect, priority, ruleActive, notes, methods, path, headers, query, body, claims };
}
