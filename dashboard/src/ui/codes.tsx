import { cx } from "./cx";

/** An HTTP status; none: the caller went before there was one. */
export function StatusCode({ status }: { status: number | null | undefined }) {
  if (status === null || status === undefined) return <span className="text-faint">gone</span>;
  const look =
    status >= 500
      ? "text-bad bg-bad-soft"
      : status >= 400
        ? "text-warn bg-warn-soft"
        : status >= 300
          ? "text-info bg-info-soft"
          : "text-ok bg-ok-soft";
  return (
    <span
      className={cx("inline-block rounded-sm px-1.5 font-mono text-xs leading-5 tabular", look)}
    >
      {status}
    </span>
  );
}

export function Method({ method }: { method: string }) {
  return <span className="font-mono text-xs font-medium">{method}</span>;
}
