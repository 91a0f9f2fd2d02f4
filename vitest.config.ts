import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const kernel = (path: string): string => fileURLToPath(new URL(`kernel/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^attention-lab\/views$/, replacement: kernel("views/index.ts") },
      { find: /^attention-lab\/figure$/, replacement: kernel("figure/index.ts") },
      { find: /^attention-lab$/, replacement: kernel("index.ts") },
    ],
  },
  test: {
    include: ["tests/**/*.test.ts"],
    exclude: ["tests/ui/**"],
    // Limits for what hangs, not for what is slow: the machine may be busy.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
