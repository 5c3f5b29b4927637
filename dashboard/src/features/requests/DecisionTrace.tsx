import { useQuery } from "@tanstack/react-query";
import type { Schemas } from "@/api/client";
import { textOf } from "@/api/problem";
import { Notice } from "@/ui/Notice";
import { Skeleton } from "@/ui/Page";
import { Pill, Tag } from "@/ui/Status";
import { explanationQuery, type RequestRecord } from "./queries";

const LAYERS: Record<string, string> = {
  proxyCredential: "Proxy credential",
  targetCredential: "Target credential",
  target: "Target",
  proxy: "Proxy",
};

interface DecisionTraceProps {
  place: { clientId: string; proxyId: string };
  record: RequestRecord;
}

/** Why a call passed or did not: credential, the four layers, meters, filters. */
export function DecisionTrace({ place, record }: DecisionTraceProps) {
  const query = useQuery(explanationQuery(place, record.requestId));
  if (query.isError) return <Notice tone="warn">{textOf(query.error)}</Notice>;
  if (!query.data) return <Skeleton className="h-24" />;
  const { layers, meters, filters, removed, configurationKnown, unknown, code } = query.data;
  return (
    <div className="flex flex-col gap-3 text-sm">
      {!configurationKnown && (
        <Notice tone="warn">
          The configuration that judged this call is no longer known: only what its record says is
          shown.
        </Notice>
      )}
      <ol className="flex flex-col gap-2">
        <Step name="Credential" isGood={record.credentialId !== null}>
          {record.credentialId === null ? "none that is right" : (record.authType ?? "accepted")}
        </Step>
        {layers.map((layer) => (
          <Layer key={layer.layer} layer={layer} />
        ))}
        {meters.map((meter) => (
          <Step key={meter.meterId} name="Meter" isGood>
            {meter.matched === false ? "does not count it" : `+${meter.delta ?? "?"}`}{" "}
            <Tag mono>{meter.meterId.slice(0, 8)}</Tag>
          </Step>
        ))}
        {filters.map((filter) => (
          <Step key={filter.filterId} name="Filter" isGood>
            {filter.applied === false ? "did not apply" : filter.operation} at{" "}
            {LAYERS[filter.stage] ?? filter.stage}
          </Step>
        ))}
        {removed.map(({ stage, removed: n }) => (
          <Step key={stage} name="Removed" isGood>
            {n} at {LAYERS[stage] ?? stage}
          </Step>
        ))}
        {code && (
          <Step name="Result" isGood={false}>
            <code className="font-mono text-xs">{code}</code>
          </Step>
        )}
      </ol>
      {unknown.length > 0 && (
        <p className="text-xs text-soft">Not told by the record: {unknown.join(", ")}.</p>
      )}
    </div>
  );
}

function Layer({ layer }: { layer: Schemas["LayerExplanation"] }) {
  const isGood = layer.effect !== "deny";
  return (
    <Step name={LAYERS[layer.layer] ?? layer.layer} isGood={isGood}>
      {layer.decidedBy === null || layer.decidedBy === undefined
        ? "nobody can tell"
        : layer.decidedBy === "default"
          ? "no rule matches: the default decides"
          : `rule ${layer.decidedBy.slice(0, 8)} decides`}
      <ul className="mt-1 flex flex-col gap-0.5 text-xs text-soft">
        {layer.rules
          .filter((rule) => rule.failed.length > 0)
          .map((rule) => (
            <li key={rule.ruleId}>
              <Tag mono>{rule.ruleId.slice(0, 8)}</Tag>{" "}
              {rule.failed.map(({ condition, problem }) => `${condition}: ${problem}`).join("; ")}
            </li>
          ))}
      </ul>
    </Step>
  );
}

function Step({
  name,
  isGood,
  children,
}: {
  name: string;
  isGood: boolean;
  children: React.ReactNode;
}) {
  return (
    <li className="grid grid-cols-[8.5rem_minmax(0,1fr)_auto] items-start gap-3 rounded-md border border-line px-3 py-2">
      <span className="font-medium">{name}</span>
      <span className="min-w-0 break-words text-soft">{children}</span>
      <Pill tone={isGood ? "ok" : "bad"}>{isGood ? "Passes" : "Stops"}</Pill>
    </li>
  );
}
