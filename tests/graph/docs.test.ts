import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";

const page = readFileSync(new URL("../../docs/graph.md", import.meta.url), "utf8");
const library = new URL("../../kernel/lib/index.js", import.meta.url).href;
const examples = [...page.matchAll(/^## (.+)$|```ts\n([\s\S]*?)```/gm)].reduce<{ title: string; code: string }[]>(
  (found, [, heading, code]) => [...found, { title: heading ?? found.at(-1)?.title ?? "", code: code ?? "" }],
  [],
);

it.each(examples.filter(({ code }) => code !== ""))(
  "docs/graph.md, $title: an example prints what it says",
  ({ code }) => {
    const expected = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text]) => text);
    expect(expected.length).toBeGreaterThan(0);
    const { outputText, diagnostics } = ts.transpileModule(code, {
      reportDiagnostics: true,
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
    });
    expect(diagnostics).toEqual([]);
    const folder = mkdtempSync(join(tmpdir(), "attention-lab-docs-"));
    try {
      const file = join(folder, "example.mjs");
      writeFileSync(file, outputText.replace('"attention-lab"', JSON.stringify(library)));
      const { stdout, stderr, status } = spawnSync(process.execPath, [file], {
        encoding: "utf8",
        env: { ...process.env, FORCE_COLOR: undefined },
      });
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout.trimEnd().split("\n")).toEqual(expected);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

it("docs/graph.md has an example for each of its parts", () => {
  expect(examples.filter(({ code }) => code !== "").length).toBeGreaterThanOrEqual(6);
});
