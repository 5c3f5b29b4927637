import { useEffect, useState } from "react";
import type { RequestRecord } from "./queries";

/** Older ones are in the list below. */
const MOST = 500;

export type Line = "connecting" | "open" | "lost";

/** The calls that end while one looks, the newest first. */
export function useTail(address: string | undefined): { line: Line; records: RequestRecord[] } {
  const [line, setLine] = useState<Line>("connecting");
  const [seen, setSeen] = useState<{ address?: string; records: RequestRecord[] }>({ records: [] });
  useEffect(() => {
    if (address === undefined) return;
    const source = new EventSource(address);
    const waiting: RequestRecord[] = [];
    source.onopen = () => setLine("open");
    source.onerror = () =>
      setLine(source.readyState === EventSource.CLOSED ? "lost" : "connecting");
    source.addEventListener("request", ({ data }: MessageEvent<string>) => {
      waiting.unshift(JSON.parse(data) as RequestRecord);
    });
    // However many there are, the page is drawn a few times a second.
    const timer = setInterval(() => {
      if (waiting.length === 0) return;
      const news = waiting.splice(0);
      setSeen(({ address: before, records }) => ({
        address,
        records: [...news, ...(before === address ? records : [])].slice(0, MOST),
      }));
    }, 250);
    return () => {
      clearInterval(timer);
      source.close();
    };
  }, [address]);
  return { line, records: address !== undefined && seen.address === address ? seen.records : [] };
}
