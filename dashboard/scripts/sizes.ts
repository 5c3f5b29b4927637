/**
 * Holds the built dashboard to its budgets: what the first page is shown with, what comes in the
 * background once it is there, and what each further one loads, as brotli sends it.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";

const FIRST = 200_000;
const FURTHER = 70_000;
const DIST = new URL("../dist/", import.meta.url);
/** What the first page shows: the page itself, and the organisation's home. */
const HOME = "src/features/dashboard/HomePage.tsx";
/** What opens over pages: loaded when the first one is there, so further ones have it. */
const BACKGROUND = "src/app/TopMenus.tsx";
/** Alphabets that no page of ours begins with are asked for only when they are shown. */
const FONTS = "assets/geist-latin-wght";

interface Chunk {
  file: string;
  imports?: string[];
  css?: string[];
  isEntry?: boolean;
  isDynamicEntry?: boolean;
}

const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", DIST), "utf8")) as Record<
  string,
  Chunk
>;

function filesOf(key: string, found = new Set<string>()): Set<string> {
  const chunk = manifest[key];
  if (chunk === undefined || found.has(chunk.file)) return found;
  found.add(chunk.file);
  chunk.css?.forEach((file) => found.add(file));
  chunk.imports?.forEach((next) => filesOf(next, found));
  return found;
}

function sizeOf(files: Iterable<string>): number {
  return [...files].map(packed).reduce((sum, size) => sum + size, 0);
}

function packed(file: string): number {
  for (const end of [".br", ""]) {
    const size = statSync(new URL(file + end, DIST), { throwIfNoEntry: false })?.size;
    if (size !== undefined) return size;
  }
  throw new Error(`${file} is not built`);
}

const entry = "index.html";
if (manifest[entry] === undefined) throw new Error("nothing is built");
const shared = filesOf(entry);
const fonts = readdirSync(new URL("assets/", DIST))
  .map((name) => `assets/${name}`)
  .filter((file) => file.startsWith(FONTS));
const home = new Set([...shared, ...filesOf(HOME), ...fonts, "index.html", "theme.js"]);
const background = [...filesOf(BACKGROUND)].filter((file) => !home.has(file));
const there = new Set([...shared, ...background]);
const further = Object.entries(manifest)
  .filter(([, chunk]) => chunk.isDynamicEntry)
  .map(([key]) => ({ key, size: sizeOf([...filesOf(key)].filter((file) => !there.has(file))) }))
  .sort((one, other) => other.size - one.size);
const checks = [
  { what: "first load", size: sizeOf(home), most: FIRST },
  { what: "in the background", size: sizeOf(background), most: FURTHER },
  ...further
    .slice(0, 1)
    .map(({ key, size }) => ({ what: `largest further: ${key}`, size, most: FURTHER })),
];
const kb = (size: number) => `${(size / 1000).toFixed(1)} kB`;
for (const { what, size, most } of checks) {
  console.log(`dashboard: ${what} ${kb(size)} of ${kb(most)}`);
  if (size <= most) continue;
  console.error(`dashboard: ${what} is above its budget`);
  process.exitCode = 1;
}
