import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Field, TextArea } from "@/ui/Field";
import { Notice, Refusal } from "@/ui/Notice";
import { Card } from "@/ui/Page";
import { Tag } from "@/ui/Status";
import { draftId, LAYER_LABELS, previewQuery, type FilterDraft, type Place } from "./queries";
import { callOf, FIRST_SAMPLE, SampleFields } from "./SampleFields";
import { useLater } from "@/lib/useLater";

const SAMPLE = '{\n  "id": 7,\n  "name": "Ada",\n  "email": "ada@example.com"\n}';

/** Shows what the filters that are stored leave of an answer, while one types it. */
export function PreviewPanel({ place }: { place: Place }) {
  return (
    <Card title="Try an answer">
      <PreviewTrial place={place} />
    </Card>
  );
}

interface PreviewTrialProps {
  place: Place;
  /** A filter that is being written. */
  draft?: FilterDraft;
  /** Of the proxy's credentials, the caller's. */
  credentialId?: string;
}

export function PreviewTrial({ place, draft, credentialId }: PreviewTrialProps) {
  const [sample, setSample] = useState(FIRST_SAMPLE);
  const [answer, setAnswer] = useState(SAMPLE);
  const rested = useLater(sample);
  const restedAnswer = useLater(answer);
  const restedDraft = useLater(draft);
  const body = useMemo(
    () => ({
      ...callOf(rested),
      credentialId,
      response: { body: restedAnswer },
      draft: restedDraft,
    }),
    [rested, credentialId, restedAnswer, restedDraft],
  );
  const query = useQuery({
    ...previewQuery(place, body, rested.path !== ""),
    placeholderData: keepPreviousData,
  });
  return (
    <div className="flex flex-col gap-4">
      <Field label="The target answers">
        <TextArea
          className="min-h-36"
          value={answer}
          onChange={(event) => setAnswer(event.target.value)}
        />
      </Field>
      <Refusal error={query.error} />
      {query.data && (
        <div aria-live="polite" className="flex flex-col gap-3">
          <p className="text-sm font-medium">The caller gets</p>
          {query.data.status === 422 && (
            <Notice tone="warn">
              422: filters apply and this body cannot be filtered, so nothing of it is passed on.
            </Notice>
          )}
          <pre
            tabIndex={0}
            aria-label="What the caller gets"
            className="max-h-72 overflow-auto rounded-md border border-line bg-sunken p-3 font-mono text-xs leading-5"
          >
            {query.data.body}
          </pre>
          <ul className="flex flex-col gap-1 text-xs text-soft">
            {query.data.changes.map((change, index) => (
              <li key={index} className="break-words">
                <Tag mono>{change.path}</Tag>{" "}
                {change.operation === "retain" && change.filterId ? "stays" : "goes"}
                {draft && change.filterId === draftId(draft) ? " by this filter" : ""} at{" "}
                {LAYER_LABELS[change.stage] ?? change.stage}
              </li>
            ))}
            {query.data.changes.length === 0 && <li>Nothing is taken out.</li>}
          </ul>
        </div>
      )}
      <details className="rounded-md border border-line">
        <summary className="cursor-pointer px-3 py-2 text-sm font-medium">To which call</summary>
        <div className="flex flex-col gap-4 border-t border-line p-3">
          <SampleFields sample={sample} onChange={setSample} />
        </div>
      </details>
    </div>
  );
}
