import { useEffect, useState } from "react";

/** Nothing waits longer than this for a browser that is never idle. */
const AT_MOST_MS = 2_000;

/** Whether what the page is made of is loaded and shown: what comes then is in nobody's way. */
export function useIdle(): boolean {
  const [isIdle, setIdle] = useState(false);
  useEffect(() => {
    const done = () => setIdle(true);
    // Not every browser says when it is idle.
    if (typeof requestIdleCallback !== "function") {
      const timer = setTimeout(done, 200);
      return () => clearTimeout(timer);
    }
    const handle = requestIdleCallback(done, { timeout: AT_MOST_MS });
    return () => cancelIdleCallback(handle);
  }, []);
  return isIdle;
}
