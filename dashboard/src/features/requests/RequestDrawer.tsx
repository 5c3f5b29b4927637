import { useQuery } from "@tanstack/react-query";
import { bytes } from "@/lib/numbers";
import { Method, StatusCode } from "@/ui/codes";
import { CopyLine } from "@/ui/Copy";
import { Drawer } from "@/ui/Dialog";
import { Facts, Failed, Skeleton } from "@/ui/Page";
import { Tag } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { DecisionTrace } from "./DecisionTrace";
import { requestRecordQuery, type RequestRecord } from "./queries";
import { Timeline } from "./Timeline";

interface RequestDrawerProps {
  place: { clientId: string; proxyId: string };
  requestId: string | undefined;
  onClose: () => void;
}

/** One call: what it was, what decided it, what it took. */
export function RequestDrawer({ place, requestId, onClose }: RequestDrawerProps) {
  const query = useQuery({
    ...requestRecordQuery(place, requestId ?? ""),
    enabled: requestId !== undefined,
  });
  const record = query.data;
  return (
    <Drawer
      open={requestId !== undefined}
      onClose={onClose}
      title="Call"
      about={
        record && (
          <span className="flex min-w-0 items-center gap-2">
            <StatusCode status={record.status} />
            <Method method={record.method} />
            <code className="min-w-0 truncate font-mono text-xs">{record.path}</code>
          </span>
        )
      }
    >
      {query.isError ? (
        <Failed error={query.error} retry={() => void query.refetch()} />
      ) : !record ? (
        <Skeleton className="h-64" />
      ) : (
        <Details place={place} record={record} />
      )}
    </Drawer>
  );
}

function Details({ place, record }: { place: RequestDrawerProps["place"]; record: RequestRecord }) {
  return (
    <div className="flex flex-col gap-7">
      <Timeline record={record} />
      <Part title="Decision">
        <DecisionTrace place={place} record={record} />
      </Part>
      <Part title="Call">
        <Facts
          rows={[
            [
              "Request id",
              <CopyLine key="id" text={record.requestId} label="Copy the request id" />,
            ],
            ["When", <Time key="at" at={record.completedAt} empty="–" />],
            ["Caller", record.callerAddress ?? "–"],
            ["Presented", record.authType ?? "nothing that is right"],
            ["Subject", record.subject ?? "–"],
            ["Target", record.targetHost ?? "–"],
            [
              "Envoy",
              <Tag key="node" mono>
                {record.nodeId}
              </Tag>,
            ],
            ["Sent, received", `${bytes(record.requestBytes)}, ${bytes(record.responseBytes)}`],
            ["Protocol", record.protocol],
            ["Trace", record.traceId ?? "–"],
            ["Remarks", [...record.flags, ...record.warnings].join(", ") || "–"],
          ]}
        />
      </Part>
      <Pairs title="Query" pairs={record.query} />
      <Pairs title="Headers" pairs={record.requestHeaders} />
    </div>
  );
}

function Part({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <section aria-label={title}>
      <h3 className="mb-3 text-sm font-semibold">{title}</h3>
      {children}
    </section>
  );
}

/** Values that may be secrets were never recorded: they are `***`. */
function Pairs({ title, pairs }: { title: string; pairs: string[][] }) {
  if (pairs.length === 0) return null;
  return (
    <Part title={title}>
      <table className="w-full table-fixed text-left font-mono text-xs">
        <tbody className="divide-y divide-line border-y border-line">
          {pairs.map(([name, value], index) => (
            <tr key={index}>
              <th scope="row" className="w-2/5 py-1.5 pr-3 align-top font-medium break-words">
                {name}
              </th>
              <td className="py-1.5 align-top break-words text-soft">{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Part>
  );
}
