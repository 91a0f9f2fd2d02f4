import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const kernel = (path: string): string => fileURLToPath(new URL(`kernel/${path}`, import.meta.url));

const files = readdirSync(new URL("tests", import.meta.url), { recursive: true, encoding: "utf8" })
  .map((path) => `tests/${path.replaceAll("\\", "/")}`)
  .filter((path) => path.endsWith(".test.ts"));
/** Tests that measure time or memory, or start tslab, which stumbles over files that change: nothing else runs beside them. */
const needsQuiet = /\b(bestOf|bestTime|timed|performance\.now|memoryUsage|startTslab)\b/;
const alone = files.filter((path) => needsQuiet.test(readFileSync(new URL(path, import.meta.url), "utf8")));

/** Begins with the file that takes longest by far: at the end one processor would wait for it. */
class LongestFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => (moduleId.includes("/tests/notebooks/") ? 0 : 1);
    return (await super.sort(specifications)).sort((a, b) => place(a) - place(b));
  }
}

export default defineConfig({
  resolve: {
    alias: [
      { find: /^attention-lab\/views$/, replacement: kernel("views/index.ts") },
      { find: /^attention-lab\/figure$/, replacement: kernel("figure/index.ts") },
      { find: /^attention-lab$/, replacement: kernel("index.ts") },
    ],
  },
  test: {
    // Limits for what hangs, not for what is slow: the machine may be busy.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          include: ["tests/**/*.test.ts"],
          exclude: ["tests/ui/**", ...alone],
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
