export interface Difference {
  member: string;
  before: string | undefined;
  after: string | undefined;
}

/** Each member that is not the same, as text; a row's `before` and `after` are objects or nothing. */
export function differences(before: unknown, after: unknown): Difference[] {
  const [was, is] = [membersOf(before), membersOf(after)];
  const members = [...new Set([...was.keys(), ...is.keys()])].sort();
  return members
    .map((member) => ({ member, before: was.get(member), after: is.get(member) }))
    .filter((row) => row.before !== row.after);
}

function membersOf(value: unknown): Map<string, string> {
  if (typeof value !== "object" || value === null) return new Map();
  return new Map(Object.entries(value).map(([member, part]) => [member, textOf(part)]));
}

function textOf(part: unknown): string {
  return typeof part === "string" ? part : JSON.stringify(part);
}
