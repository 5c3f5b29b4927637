import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Gauge, Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { Card, Empty, Failed, Skeleton } from "@/ui/Page";
import { Pill } from "@/ui/Status";
import { wordsOf } from "../guard/words";
import { Gauges } from "./Gauges";
import { MeterEditor } from "./MeterEditor";
import { meterQuery, metersQuery, useMeterWrites, type Meter, type Place } from "./queries";

const route = getRouteApi("/in/o/$clientId/proxies/$proxyId/meters");

/** What is counted of a proxy's calls, and how far it is from its limits. */
export function MetersTab() {
  const place = route.useParams();
  const query = useQuery(metersQuery(place));
  const [isAdding, setAdding] = useState(false);
  const add = (
    <Button kind="primary" onClick={() => setAdding(true)}>
      <Plus aria-hidden className="size-4" /> New meter
    </Button>
  );
  return (
    <>
      {query.isError ? (
        <Failed error={query.error} retry={() => void query.refetch()} />
      ) : !query.data ? (
        <Skeleton className="h-48" />
      ) : query.data.data.length === 0 ? (
        <div className="rounded-lg border border-line bg-surface">
          <Empty icon={Gauge} title="No meters yet" action={add}>
            A meter counts calls, or a value in answers such as tokens, by minute, hour, day and
            month; with a limit it also stops.
          </Empty>
        </div>
      ) : (
        <div className="flex flex-col gap-5">
          <div className="flex justify-end">{add}</div>
          <div className="grid items-start gap-5 lg:grid-cols-2">
            {query.data.data.map((meter) => (
              <One key={meter.meterId} place={place} meter={meter} />
            ))}
          </div>
        </div>
      )}
      {isAdding && <MeterEditor place={place} onClose={() => setAdding(false)} />}
    </>
  );
}

function One({ place, meter }: { place: Place; meter: Meter }) {
  const [isEditing, setEditing] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const { remove } = useMeterWrites(place);
  const when = wordsOf(meter.conditions);
  return (
    <Card
      title={meter.meterName}
      actions={
        <div className="flex items-center gap-1">
          {!meter.meterActive && <Pill tone="idle">Inactive</Pill>}
          <Button small kind="quiet" onClick={() => setEditing(true)}>
            Edit
          </Button>
          <Button small kind="quiet" onClick={() => setDeleting(true)}>
            Delete
          </Button>
        </div>
      }
    >
      <p className="mb-4 text-xs break-words text-soft">
        {meter.meterType === "request_count"
          ? "Counts calls"
          : `Adds up ${meter.extraction?.path ?? meter.extraction?.name ?? "a value"} of answers`}
        {when && ` · ${when}`}
      </p>
      <Gauges place={place} meter={meter} />
      {isEditing && (
        <Loaded place={place} meterId={meter.meterId} onClose={() => setEditing(false)} />
      )}
      <Confirm
        open={isDeleting}
        title={`Delete ${meter.meterName}?`}
        action="Delete meter"
        onClose={() => setDeleting(false)}
        onConfirm={() => remove(meter.meterId)}
      >
        Its counts go with it, and its limits hold no more.
      </Confirm>
    </Card>
  );
}

function Loaded(props: { place: Place; meterId: string; onClose: () => void }) {
  const { data } = useQuery(meterQuery(props.place, props.meterId));
  return data ? <MeterEditor place={props.place} loaded={data} onClose={props.onClose} /> : null;
}
