import { useState } from "react";
import type { Tagged } from "@/api/client";
import { Problem } from "@/api/problem";
import { changes } from "./changes";

/** Somebody else's newer version, beside what one wanted to save. */
export interface Conflict<T> {
  theirs: Tagged<T>;
  mine: Partial<T>;
}

interface Editing<T> {
  /** As it was when the form was filled. */
  loaded: Tagged<T>;
  save: (patch: Partial<T>, tag: string) => Promise<unknown>;
  reload: () => Promise<Tagged<T>>;
}

/** Saves what changed, and nothing over a version that one has not seen. */
export function useEdit<T extends object>({ loaded, save, reload }: Editing<T>) {
  const [conflict, setConflict] = useState<Conflict<T>>();
  const put = async (patch: Partial<T>, tag: string): Promise<boolean> => {
    try {
      await save(patch, tag);
      setConflict(undefined);
      return true;
    } catch (error) {
      if (!(error instanceof Problem && error.isStale)) throw error;
      setConflict({ theirs: await reload(), mine: patch });
      return false;
    }
  };
  return {
    conflict,
    /** False: there is a conflict to be decided first. */
    submit: (wanted: T) => put(changes(loaded.value, wanted), loaded.tag),
    /** One's own changes on top of the newer version. */
    overwrite: async () => conflict !== undefined && put(conflict.mine, conflict.theirs.tag),
    forget: () => setConflict(undefined),
  };
}
