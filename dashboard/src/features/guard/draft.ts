/** A draft that is written in a form and as JSON at once. */
import { useState } from "react";
import { changes } from "@/forms/changes";

export interface Draft<T> {
  value: T;
  text: string;
  /** What is wrong with the text; the form then shows what was before. */
  problem: string | undefined;
  set: (value: T) => void;
  write: (text: string) => void;
}

export function useDraft<T extends object>(begin: T): Draft<T> {
  const [value, setValue] = useState(begin);
  const [text, setText] = useState(() => printed(begin));
  const [problem, setProblem] = useState<string>();
  return {
    value,
    text,
    problem,
    set: (next) => {
      setValue(next);
      setText(printed(next));
      setProblem(undefined);
    },
    write: (next) => {
      setText(next);
      const read = parsed(next);
      setProblem(read.problem);
      if (read.value !== undefined) setValue(read.value as T);
    },
  };
}

/** What of one's own is not as in `theirs`, also what one took out. */
export function against<T extends object>(theirs: T, mine: T): Partial<T> {
  const taken = Object.keys(theirs).filter((key) => !(key in mine));
  const nothing = Object.fromEntries(taken.map((key) => [key, undefined]));
  return changes(theirs, { ...nothing, ...mine });
}

/** Without what says nothing. */
export function printed(value: object): string {
  const says = (part: unknown) =>
    part !== undefined &&
    part !== null &&
    part !== "" &&
    !(Array.isArray(part) && part.length === 0);
  const kept = Object.entries(value).filter(([, part]) => says(part));
  return JSON.stringify(Object.fromEntries(kept), null, 2);
}

export function parsed(text: string): { value?: object; problem?: string } {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? { value } : { problem: "This must be an object." };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : "This is no JSON." };
  }
}
