/** The one way to the API: typed by its description, on the origin that served the page. */
import createClient from "openapi-fetch";
import { Problem } from "./problem";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

// Tags do not cover live states: a browser that asks with one would go on showing the state before.
export const api = createClient<paths>({ baseUrl: location.origin, cache: "no-store" });

const listeners = new Set<() => void>();

/** Calls `listener` whenever the API says that nobody is signed in. */
export function onSignedOut(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** What an answer holds; throws a `Problem` for every other one. */
export async function take<T>(answer: Promise<Answer<T>>): Promise<T> {
  return (await takeTagged(answer)).value;
}

/** A record with the entity tag that a change of it has to name. */
export interface Tagged<T> {
  value: T;
  tag: string;
}

/** The same with the answer's entity tag, empty if there is none. */
export async function takeTagged<T>(answer: Promise<Answer<T>>): Promise<Tagged<T>> {
  const { data, error, response } = await sent(answer);
  if (!response.ok) {
    const problem = Problem.of(response, error);
    if (problem.isSignedOut) listeners.forEach((listener) => listener());
    throw problem;
  }
  return { value: data as T, tag: response.headers.get("etag") ?? "" };
}

async function sent<T>(answer: Promise<Answer<T>>): Promise<Answer<T>> {
  try {
    return await answer;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw Problem.unreachable(cause);
  }
}
