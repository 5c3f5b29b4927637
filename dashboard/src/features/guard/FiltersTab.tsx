import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { textOf } from "@/api/problem";
import { Button } from "@/ui/Button";
import { Confirm } from "@/ui/Confirm";
import { Skeleton } from "@/ui/Page";
import { Pill, Tag } from "@/ui/Status";
import { FilterEditor } from "./FilterEditor";
import { LayerCard } from "./LayerCard";
import { PreviewPanel } from "./PreviewPanel";
import {
  filterQuery,
  filtersQuery,
  useGuardWrites,
  type Filter,
  type Owner,
  type Place,
} from "./queries";
import { useOwners } from "./useOwners";
import { wordsOf } from "./words";

const route = getRouteApi("/in/o/$clientId/proxies/$proxyId/filters");

/** What responses lose, stage by stage, and a sample to try it on. */
export function FiltersTab() {
  const place = route.useParams();
  const owners = useOwners(place);
  return (
    <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <div className="flex min-w-0 flex-col gap-5">
        {owners.map((owner) => (
          <FiltersOf key={`${owner.layer} ${owner.id}`} place={place} owner={owner} />
        ))}
      </div>
      <PreviewPanel place={place} />
    </div>
  );
}

function FiltersOf({ place, owner }: { place: Place; owner: Owner }) {
  const query = useQuery(filtersQuery(owner));
  const [edited, setEdited] = useState<string>();
  const [isAdding, setAdding] = useState(false);
  const [doomed, setDoomed] = useState<Filter>();
  const { removeFilter } = useGuardWrites(owner);
  return (
    <LayerCard owner={owner} add="Filter" onAdd={() => setAdding(true)}>
      {query.isError ? (
        <p className="p-4 text-sm text-bad">{textOf(query.error)}</p>
      ) : !query.data ? (
        <Skeleton className="m-4 h-8" />
      ) : query.data.data.length === 0 ? (
        <p className="p-4 text-sm text-soft">No filters: this stage passes all on.</p>
      ) : (
        <ul className="divide-y divide-line">
          {query.data.data.map((filter) => (
            <li
              key={filter.filterId}
              className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2 text-sm"
            >
              <Tag>{filter.operation}</Tag>
              <span className="min-w-40 flex-1 font-mono text-xs break-words">
                {filter.paths.join("  ")}
                <span className="block font-sans text-soft">
                  {[wordsOf(filter), filter.notes].filter(Boolean).join(" · ")}
                </span>
              </span>
              {!filter.filterActive && <Pill tone="idle">Inactive</Pill>}
              <Button small kind="quiet" onClick={() => setEdited(filter.filterId)}>
                Edit
              </Button>
              <Button small kind="quiet" onClick={() => setDoomed(filter)}>
                Delete
              </Button>
            </li>
          ))}
        </ul>
      )}
      {isAdding && <FilterEditor place={place} owner={owner} onClose={() => setAdding(false)} />}
      {edited !== undefined && (
        <Loaded
          place={place}
          owner={owner}
          filterId={edited}
          onClose={() => setEdited(undefined)}
        />
      )}
      <Confirm
        open={doomed !== undefined}
        title="Delete this filter?"
        action="Delete filter"
        onClose={() => setDoomed(undefined)}
        onConfirm={() => (doomed ? removeFilter(doomed.filterId) : Promise.resolve())}
      >
        What it took out of responses reaches callers from now on.
      </Confirm>
    </LayerCard>
  );
}

function Loaded(props: { place: Place; owner: Owner; filterId: string; onClose: () => void }) {
  const { data } = useQuery(filterQuery(props.owner, props.filterId));
  return data ? (
    <FilterEditor place={props.place} owner={props.owner} loaded={data} onClose={props.onClose} />
  ) : null;
}
