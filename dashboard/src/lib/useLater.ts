import { useEffect, useState } from "react";

/** `value` once it has rested for a moment: what is asked while somebody types. */
export function useLater<T>(value: T, ms = 250): T {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return rested;
}
