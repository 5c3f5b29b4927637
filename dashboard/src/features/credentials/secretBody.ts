/** From what somebody wrote into a form to a `credentialSecret`. */
import type { AuthType } from "./queries";
import type { SecretField, SecretShape } from "./secretShapes";

export type Written = Record<string, string | undefined>;

/** Where a form keeps a field: names of its own, as dots would mean something there. */
export function keyOf(field: SecretField): string {
  return field.path === "" ? "json" : field.path.replaceAll(".", "_");
}

/** Problems by the form's keys; none: it can be sent. */
export function problemsOf(shape: SecretShape, written: Written): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const field of shape.fields) {
    const text = written[keyOf(field)] ?? "";
    const problem = problemOf(field, text);
    if (problem !== undefined) problems[keyOf(field)] = problem;
  }
  return problems;
}

function problemOf(field: SecretField, text: string): string | undefined {
  if (text.trim() === "") return field.optional ? undefined : `${field.label} is missing.`;
  if (field.kind === "json") return isJson(text) ? undefined : "This is not valid JSON.";
  if (field.kind === "pairs") {
    const bad = lines(text).find((line) => !/^[^:\s][^:]*:/.test(line));
    return bad === undefined ? undefined : `“${bad}” is not “Name: value”.`;
  }
  return undefined;
}

/** The secret as the API takes it; what was left empty is left out. */
export function bodyOf(authType: AuthType, shape: SecretShape, written: Written): unknown {
  if (authType === "none") return undefined;
  const body: Record<string, unknown> = {};
  for (const field of shape.fields) {
    const text = written[keyOf(field)] ?? "";
    if (text.trim() === "") continue;
    if (field.path === "") return JSON.parse(text);
    body[field.path] = valueOf(field, text);
  }
  if (authType === "oauth2" && GRANTS.has(shape.id)) body.grantType = shape.id;
  // Without a key the API makes one.
  return authType === "apiKey" && Object.keys(body).length === 0 ? undefined : body;
}

const GRANTS = new Set(["client_credentials", "authorization_code", "refresh_token", "password"]);

function valueOf(field: SecretField, text: string): unknown {
  switch (field.kind) {
    case "list":
      return text.split(/[\s,]+/).filter((part) => part !== "");
    case "json":
      return JSON.parse(text);
    case "pairs":
      return Object.fromEntries(lines(text).map(pair));
    case "text":
    case "secret":
    case "area":
    case "choice":
      return text;
  }
}

function lines(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}

function pair(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
