/** A random key under which the API does one POST once, also when it is sent again. */
export function onceKey(): string {
  return crypto.randomUUID();
}
