import { count } from "@/lib/numbers";

export interface Share {
  name: string;
  value: number;
  /** Of it, what is to stand out. */
  bad?: number;
}

/** Parts of a whole, the largest first. */
export function Shares({ shares, empty }: { shares: Share[]; empty: string }) {
  const most = Math.max(1, ...shares.map((share) => share.value));
  if (shares.length === 0) return <p className="py-8 text-center text-sm text-soft">{empty}</p>;
  return (
    <ul className="flex flex-col gap-2.5">
      {shares.slice(0, 8).map(({ name, value, bad = 0 }) => (
        <li
          key={name}
          className="grid grid-cols-[7rem_minmax(0,1fr)_4rem] items-center gap-3 text-xs"
        >
          <span className="truncate" title={name}>
            {name}
          </span>
          <svg aria-hidden viewBox="0 0 100 4" preserveAspectRatio="none" className="h-2 w-full">
            <rect width="100" height="4" className="fill-sunken" />
            <rect width={(value / most) * 100} height="4" className="fill-info" />
            <rect width={(bad / most) * 100} height="4" className="fill-bad" />
          </svg>
          <span className="text-right font-medium tabular">{count(value)}</span>
        </li>
      ))}
    </ul>
  );
}
