import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import type { Schemas } from "@/api/client";
import { useLater } from "@/lib/useLater";
import { Refusal } from "@/ui/Notice";
import { Card } from "@/ui/Page";
import { Pill, Tag } from "@/ui/Status";
import { draftId, evaluateQuery, LAYER_LABELS, type Place, type RuleDraft } from "./queries";
import { callOf, FIRST_SAMPLE, SampleFields, type Sample } from "./SampleFields";

interface EvaluatePanelProps {
  place: Place;
  onMatched: (ruleIds: ReadonlySet<string>) => void;
}

/** Says what the rules that are stored make of a call, while one types it. */
export function EvaluatePanel({ place, onMatched }: EvaluatePanelProps) {
  const [sample, setSample] = useState(FIRST_SAMPLE);
  return (
    <Card title="Try a call">
      <EvaluateTrial place={place} sample={sample} onSample={setSample} onMatched={onMatched} />
    </Card>
  );
}

interface EvaluateTrialProps {
  place: Place;
  sample: Sample;
  onSample: (sample: Sample) => void;
  /** A rule that is being written. */
  draft?: RuleDraft;
  /** Of the proxy's credentials, the caller's. */
  credentialId?: string;
  onMatched?: (ruleIds: ReadonlySet<string>) => void;
}

export function EvaluateTrial(props: EvaluateTrialProps) {
  const { place, sample, onSample, draft, credentialId, onMatched } = props;
  const rested = useLater(sample);
  const restedDraft = useLater(draft);
  const body = useMemo(
    () => ({ ...callOf(rested), credentialId, draft: restedDraft }),
    [rested, credentialId, restedDraft],
  );
  const query = useQuery({
    ...evaluateQuery(place, body, rested.path !== ""),
    placeholderData: keepPreviousData,
  });
  const layers = query.data?.layers;
  useEffect(() => {
    const matched = (layers ?? []).flatMap(({ rules }) => rules.filter((rule) => rule.matched));
    onMatched?.(new Set(matched.map((rule) => rule.ruleId)));
  }, [layers, onMatched]);
  return (
    <div className="flex flex-col gap-4">
      <SampleFields sample={sample} onChange={onSample} />
      <Refusal error={query.error} />
      {query.data && (
        <div aria-live="polite" className="flex flex-col gap-3 border-t border-line pt-4">
          <p className="flex items-center gap-2 text-sm font-medium">
            This call
            <Pill tone={query.data.effect === "allow" ? "ok" : "bad"}>
              {query.data.effect === "allow" ? "Passes" : "Is denied"}
            </Pill>
          </p>
          <ul className="flex flex-col gap-2.5">
            {query.data.layers.map((layer) => (
              <Verdict key={layer.layer} layer={layer} own={draft && draftId(draft)} />
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

/** `own`: the id under which the rule that is being written is shown. */
function Verdict({ layer, own }: { layer: Schemas["LayerResource"]; own?: string }) {
  const failed = layer.rules.filter((rule) => !rule.matched);
  const nameOf = (id: string) => (id === own ? "this rule" : id.slice(0, 8));
  const by = layer.decidedBy;
  return (
    <li className="text-sm">
      <div className="flex items-center justify-between gap-3">
        <span>{LAYER_LABELS[layer.layer] ?? layer.layer}</span>
        <span className="flex items-center gap-2 text-xs text-soft">
          {by === "default" ? "by default" : by === own ? "by this rule" : `by rule ${nameOf(by)}`}
          <Pill tone={layer.effect === "allow" ? "ok" : "bad"}>
            {layer.effect === "allow" ? "Allows" : "Denies"}
          </Pill>
        </span>
      </div>
      <ul className="mt-1 flex flex-col gap-0.5 text-xs text-soft">
        {failed.map(({ ruleId, failed: conditions }) => (
          <li key={ruleId} className="break-words">
            <Tag mono>{nameOf(ruleId)}</Tag> does not match:{" "}
            {conditions.map(({ condition, problem }) => `${condition} ${problem}`).join("; ")}
          </li>
        ))}
      </ul>
    </li>
  );
}
