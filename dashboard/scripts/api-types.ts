/**
 * Writes src/api/schema.d.ts: the types of the API's description, as core-api's own tests hold it.
 * Whoever changes the API so that a page no longer fits it sees the types fail.
 */
import { readFile, writeFile } from "node:fs/promises";
import openapiTS, { astToString, type OpenAPI3 } from "openapi-typescript";

const SNAPSHOT = new URL(
  "../../core-api/tests/it/rules/snapshots/it__rules__document__openapi.snap",
  import.meta.url,
);

// A head between two lines of dashes, then the document.
const [, body] = (await readFile(SNAPSHOT, "utf8")).split("\n---\n");
if (body === undefined) throw new Error(`no document in ${SNAPSHOT.pathname}`);
const types = await openapiTS(JSON.parse(body) as OpenAPI3, { defaultNonNullable: false });
await writeFile(new URL("../src/api/schema.d.ts", import.meta.url), astToString(types));
