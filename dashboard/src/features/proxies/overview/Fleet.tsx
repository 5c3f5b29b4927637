import type { Schemas } from "@/api/client";
import { Notice } from "@/ui/Notice";
import { Pill, Status } from "@/ui/Status";
import { Time } from "@/ui/Time";

/** Where the newest state of a proxy stands on each Envoy of its region. */
export function Fleet({ nodes }: { nodes: Schemas["NodeResource"][] }) {
  if (nodes.length === 0) {
    return (
      <p className="text-sm text-soft">
        No Envoy of the region is connected: nothing serves this proxy now.
      </p>
    );
  }
  return (
    <ul className="flex flex-col gap-3">
      {nodes.map((node) => (
        <li key={node.nodeId} className="text-sm">
          <div className="flex items-center justify-between gap-3">
            <span className="min-w-0 truncate font-mono text-xs" title={node.nodeId}>
              {node.nodeId}
            </span>
            {node.connected ? <Status word={node.state} /> : <Pill tone="bad">Away</Pill>}
          </div>
          <p className="text-xs text-soft tabular">
            Version {node.version} · <Time at={node.at} empty="not yet" />
          </p>
          {node.rejection && (
            <div className="mt-2">
              <Notice
                tone="bad"
                title="This Envoy refuses the newest state and serves the one before"
              >
                <code className="font-mono text-xs break-words">{node.rejection}</code>
              </Notice>
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}
