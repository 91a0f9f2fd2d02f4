import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";

/** Pages whose every example is run. */
const pages = ["graph", "mechanisms", "training"];
const library = new URL("../kernel/lib/index.js", import.meta.url).href;

interface Example {
  readonly page: string;
  readonly title: string;
  readonly code: string;
}

function examplesOf(page: string): Example[] {
  const text = readFileSync(new URL(`../docs/${page}.md`, import.meta.url), "utf8");
  const found: Example[] = [];
  for (const [, heading, code] of text.matchAll(/^## (.+)$|```ts\n([\s\S]*?)```/gm))
    found.push({ page, title: heading ?? found.at(-1)?.title ?? "", code: code ?? "" });
  return found.filter((example) => example.code !== "");
}

const examples = pages.flatMap(examplesOf);

it.each(examples)("docs/$page.md, $title: an example prints what it says", ({ code }) => {
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
});

it.each(pages)("docs/%s.md has examples", (page) => expect(examplesOf(page).length).toBeGreaterThanOrEqual(3));
