import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const WORTH = /\.(html|js|css|svg|txt)$/;

/** Puts `.br` and `.gz` beside every built file that gets smaller by it. */
export function compress(): Plugin {
  let folder = "";
  return {
    name: "compress",
    apply: "build",
    configResolved: (config) => {
      folder = config.build.outDir;
    },
    closeBundle: async () => {
      const entries = await readdir(folder, { recursive: true });
      const files = entries.filter((name) => WORTH.test(name));
      await Promise.all(files.map((name) => compressOne(join(folder, name))));
    },
  };
}

async function compressOne(path: string): Promise<void> {
  const plain = await readFile(path);
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
  for (const [end, packed] of [
    [".br", brotliCompressSync(plain, quality)],
    [".gz", gzipSync(plain, { level: 9 })],
  ] as const) {
    if (packed.length < plain.length) await writeFile(path + end, packed);
  }
}
