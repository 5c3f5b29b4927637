/** A refusal of the API, or that it could not be reached. */
export interface Detail {
  field: string;
  problem: string;
}

interface Body {
  error: string;
  code: string;
  details: Detail[];
}

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Detail[];
  /** Names the request in core-api's log; empty if it never got there. */
  readonly requestId: string;

  private constructor(
    body: Body,
    { status, requestId, cause }: { status: number; requestId: string; cause?: unknown },
  ) {
    super(body.error, { cause });
    this.name = "Problem";
    this.status = status;
    this.code = body.code;
    this.details = body.details;
    this.requestId = requestId;
  }

  static of(response: Response, body: unknown): Problem {
    const requestId = response.headers.get("requestrocket-request-id") ?? "";
    return new Problem(isBody(body) ? body : unknownBody(response), {
      status: response.status,
      requestId,
    });
  }

  static unreachable(cause: unknown): Problem {
    const error = navigator.onLine
      ? "The Core API does not answer."
      : "You are offline: this browser has no network.";
    return new Problem(
      { error, code: "UNREACHABLE", details: [] },
      { status: 0, requestId: "", cause },
    );
  }

  /** The session ended, or there never was one. */
  get isSignedOut(): boolean {
    return this.status === 401 && this.code === "UNAUTHENTICATED";
  }

  get isStale(): boolean {
    return this.status === 412;
  }
}

/** Text for people, whatever was thrown. */
export function textOf(error: unknown): string {
  return error instanceof Error ? sentence(error.message) : "Something went wrong.";
}

/** The API writes errors as parts of sentences. */
export function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

function isBody(body: unknown): body is Body {
  return typeof body === "object" && body !== null && "code" in body && "details" in body;
}

function unknownBody(response: Response): Body {
  return { error: `the server answered ${response.status}`, code: "UNKNOWN", details: [] };
}
