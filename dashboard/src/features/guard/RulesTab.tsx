import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Ban, Check } from "lucide-react";
import { useState } from "react";
import { textOf } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { cx } from "@/ui/cx";
import { Skeleton } from "@/ui/Page";
import { Pill, Tag } from "@/ui/Status";
import { EvaluatePanel } from "./EvaluatePanel";
import { LayerCard } from "./LayerCard";
import {
  ruleQuery,
  rulesQuery,
  useGuardWrites,
  type Owner,
  type Place,
  type Rule,
} from "./queries";
import { RuleEditor } from "./RuleEditor";
import { useOwners } from "./useOwners";
import { wordsOf } from "./words";

const route = getRouteApi("/in/o/$clientId/proxies/$proxyId/rules");

/** The four layers that must all allow a call, and a sample to try on them. */
export function RulesTab() {
  const place = route.useParams();
  const owners = useOwners(place);
  const [decided, setDecided] = useState<ReadonlySet<string>>(new Set());
  return (
    <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <div className="flex min-w-0 flex-col gap-5">
        {owners.map((owner) => (
          <RulesOf
            key={`${owner.layer} ${owner.id}`}
            place={place}
            owner={owner}
            matched={decided}
          />
        ))}
      </div>
      <EvaluatePanel place={place} onMatched={setDecided} />
    </div>
  );
}

function RulesOf({
  place,
  owner,
  matched,
}: {
  place: Place;
  owner: Owner;
  matched: ReadonlySet<string>;
}) {
  const query = useQuery(rulesQuery(owner));
  const [edited, setEdited] = useState<string>();
  const [isAdding, setAdding] = useState(false);
  const [doomed, setDoomed] = useState<Rule>();
  const { removeRule } = useGuardWrites(owner);
  const rules = [...(query.data?.data ?? [])].sort((one, other) => other.priority - one.priority);
  return (
    <LayerCard owner={owner} add="Rule" onAdd={() => setAdding(true)}>
      {query.isError ? (
        <p className="p-4 text-sm text-bad">{textOf(query.error)}</p>
      ) : !query.data ? (
        <Skeleton className="m-4 h-8" />
      ) : rules.length === 0 ? (
        <p className="p-4 text-sm text-soft">No rules: the default effect decides.</p>
      ) : (
        <ul className="divide-y divide-line">
          {rules.map((rule) => (
            <li
              key={rule.ruleId}
              className={cx(
                "flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2 text-sm",
                matched.has(rule.ruleId) && "bg-accent-soft",
              )}
            >
              <Effect effect={rule.effect} />
              <span className="w-8 text-right text-xs text-soft tabular">{rule.priority}</span>
              <span className="min-w-40 flex-1 font-mono text-xs break-words">
                {wordsOf(rule) || "every call"}
                {rule.notes && <span className="block font-sans text-soft">{rule.notes}</span>}
              </span>
              {matched.has(rule.ruleId) && <Pill tone="info">Matches</Pill>}
              {!rule.ruleActive && <Pill tone="idle">Inactive</Pill>}
              <Button small kind="quiet" onClick={() => setEdited(rule.ruleId)}>
                Edit
              </Button>
              <Button small kind="quiet" onClick={() => setDoomed(rule)}>
                Delete
              </Button>
            </li>
          ))}
        </ul>
      )}
      {isAdding && <RuleEditor place={place} owner={owner} onClose={() => setAdding(false)} />}
      {edited !== undefined && (
        <Loaded place={place} owner={owner} ruleId={edited} onClose={() => setEdited(undefined)} />
      )}
      <Confirm
        open={doomed !== undefined}
        title="Delete this rule?"
        action="Delete rule"
        onClose={() => setDoomed(undefined)}
        onConfirm={() => (doomed ? removeRule(doomed.ruleId) : Promise.resolve())}
      >
        It counts no more at once, for every proxy that uses {owner.name}.
      </Confirm>
    </LayerCard>
  );
}

function Loaded(props: { place: Place; owner: Owner; ruleId: string; onClose: () => void }) {
  const { data } = useQuery(ruleQuery(props.owner, props.ruleId));
  return data ? (
    <RuleEditor place={props.place} owner={props.owner} loaded={data} onClose={props.onClose} />
  ) : null;
}

export function Effect({ effect }: { effect: "allow" | "deny" }) {
  const Icon = effect === "allow" ? Check : Ban;
  return (
    <Tag>
      <Icon
        aria-hidden
        className={cx("mr-1 size-3", effect === "allow" ? "text-ok" : "text-bad")}
      />
      {effect}
    </Tag>
  );
}
