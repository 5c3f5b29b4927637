import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import type { Schemas } from "@/api/client";
import { Refusal } from "@/ui/Notice";
import { Card } from "@/ui/Page";
import { Pill, Tag } from "@/ui/Status";
import { evaluateQuery, LAYER_LABELS, type Place } from "./queries";
import { callOf, FIRST_SAMPLE, SampleFields } from "./SampleFields";
import { useLater } from "@/lib/useLater";

interface EvaluatePanelProps {
  place: Place;
  onMatched: (ruleIds: ReadonlySet<string>) => void;
}

/** Says what the rules that are stored make of a call, while one types it. */
export function EvaluatePanel({ place, onMatched }: EvaluatePanelProps) {
  const [sample, setSample] = useState(FIRST_SAMPLE);
  const rested = useLater(sample);
  const body = useMemo(() => callOf(rested), [rested]);
  const query = useQuery({
    ...evaluateQuery(place, body, rested.path !== ""),
    placeholderData: keepPreviousData,
  });
  const layers = query.data?.layers;
  useEffect(() => {
    const matched = (layers ?? []).flatMap(({ rules }) => rules.filter((rule) => rule.matched));
    onMatched(new Set(matched.map((rule) => rule.ruleId)));
  }, [layers, onMatched]);
  return (
    <Card title="Try a call">
      <div className="flex flex-col gap-4">
        <SampleFields sample={sample} onChange={setSample} />
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
                <Verdict key={layer.layer} layer={layer} />
              ))}
            </ul>
          </div>
        )}
      </div>
    </Card>
  );
}

function Verdict({ layer }: { layer: Schemas["LayerResource"] }) {
  const failed = layer.rules.filter((rule) => !rule.matched);
  return (
    <li className="text-sm">
      <div className="flex items-center justify-between gap-3">
        <span>{LAYER_LABELS[layer.layer] ?? layer.layer}</span>
        <span className="flex items-center gap-2 text-xs text-soft">
          {layer.decidedBy === "default" ? "by default" : `by rule ${layer.decidedBy.slice(0, 8)}`}
          <Pill tone={layer.effect === "allow" ? "ok" : "bad"}>
            {layer.effect === "allow" ? "Allows" : "Denies"}
          </Pill>
        </span>
      </div>
      <ul className="mt-1 flex flex-col gap-0.5 text-xs text-soft">
        {failed.map(({ ruleId, failed: conditions }) => (
          <li key={ruleId} className="break-words">
            <Tag mono>{ruleId.slice(0, 8)}</Tag> does not match:{" "}
            {conditions.map(({ condition, problem }) => `${condition} ${problem}`).join("; ")}
          </li>
        ))}
      </ul>
    </li>
  );
}
