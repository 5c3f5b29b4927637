import { duration } from "@/lib/numbers";
import type { RequestRecord } from "./queries";

/** How long a call took, and how much of that was the target's. */
export function Timeline({ record }: { record: RequestRecord }) {
  const { durationMs, gatewayDurationMs, targetDurationMs } = record;
  const target = targetDurationMs ?? 0;
  return (
    <div>
      <div className="mb-1.5 flex justify-between text-xs text-soft tabular">
        <span>Gateway {duration(gatewayDurationMs)}</span>
        <span>
          {targetDurationMs === null ? "Not sent to the target" : `Target ${duration(target)}`}
        </span>
      </div>
      <svg
        role="img"
        aria-label={`${duration(durationMs)} in all`}
        viewBox="0 0 100 6"
        preserveAspectRatio="none"
        className="h-2 w-full rounded-full bg-sunken"
      >
        <rect width={part(gatewayDurationMs, durationMs)} height="6" className="fill-accent" />
        <rect
          x={part(gatewayDurationMs, durationMs)}
          width={part(target, durationMs)}
          height="6"
          className="fill-info"
        />
      </svg>
    </div>
  );
}

/** Per cent; a sliver stays visible. */
function part(ms: number, all: number): number {
  return all === 0 ? 0 : Math.max(ms > 0 ? 1 : 0, (ms / all) * 100);
}
