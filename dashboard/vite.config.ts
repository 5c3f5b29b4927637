import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { compress } from "./scripts/compress.ts";

// `CORE=http://127.0.0.1:8080 npm run dev` works on the API of a stack that runs.
const core = process.env.CORE ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/app/",
  plugins: [react(), tailwindcss(), compress()],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: {
    target: "es2022",
    // Inlined data would be refused by the pages' policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What counts is checked by scripts/sizes.ts, as it is sent.
    chunkSizeWarningLimit: 2000,
    manifest: true,
    rolldownOptions: { input: ["index.html", "docs.html"] },
  },
  server: {
    proxy: Object.fromEntries(
      [
        "/clients",
        "/session",
        "/users",
        "/regions",
        "/openapi.json",
        "/docs",
        "/notifications",
        "/invites",
      ].map((path) => [
        path,
        {
          target: core,
          changeOrigin: true,
          headers: { origin: core },
        },
      ]),
    ),
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
