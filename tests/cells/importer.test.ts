import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodes, openSession, type Session } from "./session.js";

let root: string;
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
};
const writePackage = (name: string, json: object, files: Readonly<Record<string, string>>): void => {
  write(`node_modules/${name}/package.json`, JSON.stringify({ name, ...json }));
  for (const [path, text] of Object.entries(files)) write(`node_modules/${name}/${path}`, text);
};

function writeProject(): void {
  root = mkdtempSync(join(tmpdir(), "cells-"));
  write(
    "notebooks/helper.ts",
    "export const answer: number = 42; export let runs = 1; export function bump() { runs += 1 }",
  );
  write("notebooks/plain.js", "export const plain = 'js';");
  write(
    "notebooks/common.cjs",
    "exports.kind = 'commonjs'; exports.dir = typeof __dirname; exports.path = require('path').sep;",
  );
  write("notebooks/old.js", "module.exports = { old: true };");
  write("notebooks/data.json", '{ "rows": [1, 2] }');
  write("notebooks/waits.ts", "export const late = await new Promise<string>((r) => setTimeout(() => r('late'), 5));");
  write(
    "notebooks/folder/index.ts",
    "export default 'index'; export * from '../helper.js'; export { plain as renamed } from '../plain';",
  );
  write("notebooks/types.ts", "export interface Shape { a: number } export type Name = string;");
  write(
    "notebooks/usesTypes.ts",
    "import { Shape, Name } from './types'; export const s: Shape = { a: 1 }; export const n: Name = 'n';",
  );
  write(
    "notebooks/even.ts",
    "import { odd } from './odd'; export function even(n: number): boolean { return n === 0 || odd(n - 1) }",
  );
  write(
    "notebooks/odd.ts",
    "import { even } from './even'; export function odd(n: number): boolean { return n !== 0 && even(n - 1) }",
  );
  write(
    "notebooks/lazy.ts",
    "export const load = async () => (await import('./helper.ts')).answer; export const here = import.meta.dirname;",
  );
  write(
    "notebooks/lab.ts",
    "import * as lab from 'attention-lab'; export const name = (lab as any).name; export { sep } from 'node:path';",
  );
  write(
    "notebooks/decorated.ts",
    "enum E { A = 3 } export class D { #x = E.A; get() { using r = { [Symbol.dispose]() {} }; return this.#x } }",
  );
  write("outside.ts", "export const outside = true;");
  write(
    "package.json",
    JSON.stringify({ name: "project", type: "commonjs", imports: { "#inner/*": "./notebooks/*.ts" } }),
  );
  writePackage(
    "esm-only",
    { type: "module", exports: { import: "./main.js" } },
    { "main.js": "export const esm = 1;" },
  );
  writePackage(
    "mapped",
    {
      exports: {
        ".": {
          types: "./x.d.ts",
          browser: "./browser.js",
          node: { import: "./node.mjs", require: "./node.cjs" },
          default: "./browser.js",
        },
        "./features/*.js": "./src/features/*.mjs",
        "./features/private/*": null,
        "./package.json": "./package.json",
      },
    },
    {
      "node.mjs": "export default 'node import';",
      "node.cjs": "module.exports = 'node require';",
      "browser.js": "",
      "src/features/deep/a.mjs": "export const feature = 'a';",
    },
  );
  writePackage(
    "classic",
    { main: "lib/start" },
    { "lib/start.js": "exports.classic = 'main'; exports.extra = 2;", "other.js": "module.exports = 'other';" },
  );
  writePackage("indexed", {}, { "index.js": "module.exports = { indexed: true };" });
  writePackage(
    "@scope/tla",
    { type: "module", exports: "./a.js" },
    { "a.js": "export const tla = await Promise.resolve('awaited');" },
  );
  writePackage("attention-lab", { type: "module", main: "x.js" }, { "x.js": "export const name = 'installed';" });
  write(
    "packages/work/package.json",
    JSON.stringify({ name: "work", type: "module", exports: { ".": "./src/index.ts", "./js": "./out.js" } }),
  );
  write("packages/work/src/index.ts", "import { part } from './part.js'; export const work: string = part;");
  write("packages/work/src/part.ts", "export const part = 'workspace';");
  write("packages/work/out.js", "export const built = 'built';");
  symlinkSync(join(root, "packages/work"), join(root, "node_modules/work"), "dir");
}

const values: Readonly<Record<string, readonly [cell: string, value: string]>> = {
  "a TypeScript file": ["import { answer } from './helper.ts'; answer", "42"],
  "no extension": ["import { answer as a1 } from './helper'; a1", "42"],
  "the .js of a .ts": ["import { answer as a2 } from './helper.js'; a2", "42"],
  "a JavaScript file": ["import { plain } from './plain.js'; plain", "'js'"],
  "a CommonJS file": [
    "import { kind, dir, path } from './common.cjs'; [kind, dir, path]",
    "[ 'commonjs', 'string', '/' ]",
  ],
  "a .js file that is CommonJS": ["import old from './old.js'; old", "{ old: true }"],
  "a file outside": ["import { outside } from '../outside.ts'; outside", "true"],
  JSON: ["import data from './data.json' with { type: 'json' }; data.rows", "[ 1, 2 ]"],
  "JSON dynamically": ["(await import('./data.json', { with: { type: 'json' } })).default.rows", "[ 1, 2 ]"],
  "a file with top-level await": ["import { late as lateValue } from './waits'; lateValue", "'late'"],
  "a folder, export * and renamed exports": [
    "import folder, { answer as a3, renamed } from './folder'; [folder, a3, renamed]",
    "[ 'index', 42, 'js' ]",
  ],
  "types without the word type": [
    "import { Shape } from './types'; import { s, n } from './usesTypes'; [s, n]",
    "[ { a: 1 }, 'n' ]",
  ],
  "a cycle": ["import { even } from './even'; [even(10), even(7)]", "[ true, false ]"],
  "import() and import.meta in a file": [
    "import { load, here } from './lazy'; [await load(), here.endsWith('notebooks')]",
    "[ 42, true ]",
  ],
  "enum, private members and using in a file": ["import { D } from './decorated'; new D().get()", "3"],
  "live bindings through a namespace": [
    "import * as h from './helper'; const was = h.runs; h.bump(); h.runs - was",
    "1",
  ],
  "a package with exports only": ["import { esm } from 'esm-only'; esm", "1"],
  conditions: ["import mapped from 'mapped'; mapped", "'node import'"],
  "a pattern": ["import { feature } from 'mapped/features/deep/a.js'; feature", "'a'"],
  "a package's JSON": ["import pkg from 'mapped/package.json' with { type: 'json' }; pkg.name", "'mapped'"],
  "main without extension": [
    "import { classic } from 'classic'; import other from 'classic/other.js'; [classic, other]",
    "[ 'main', 'other' ]",
  ],
  "no main": ["import indexed from 'indexed'; indexed", "{ indexed: true }"],
  "a scoped package with top-level await": ["import { tla } from '@scope/tla'; tla", "'awaited'"],
  "a workspace package in TypeScript": ["import { work } from 'work'; work", "'workspace'"],
  "a workspace package's JavaScript": ["import { built } from 'work/js'; built", "'built'"],
  builtins: ["import { sep } from 'path'; import os from 'node:os'; [sep, typeof os.cpus]", "[ '/', 'function' ]"],
  "imports of the package around": ["import { answer as a4 } from '#inner/helper'; a4", "42"],
  "a subpath of the library: of the running one": [
    "import running from 'attention-lab/package.json' with { type: 'json' }; running.version !== undefined",
    "true",
  ],
  "the library: the running one, in cells and in files": [
    "import * as lab from 'attention-lab'; import { name as inFile } from './lab'; [lab.name, inFile]",
    "[ 'the builtin', 'the builtin' ]",
  ],
};

describe.each(nodes)("import on $label", ({ path }) => {
  let session: Session;
  beforeAll(async () => {
    writeProject();
    session = await openSession(path, join(root, "notebooks"));
  });
  afterAll(() => {
    session.close();
    rmSync(root, { recursive: true });
  });

  it.each(Object.entries(values))("%s", async (_name, [cell, value]) => {
    expect(await session.value(cell)).toBe(value);
  });

  it("reads a file again when its content has changed, and keeps its state when not", async () => {
    write("notebooks/count.ts", "export let count = 0; export const more = () => ++count;");
    const cell = "import { more } from './count'; more()";
    expect([await session.value(cell), await session.value(cell)]).toEqual(["1", "2"]);
    write("notebooks/count.ts", "export let count = 0; export const more = () => ++count;");
    expect(await session.value(cell)).toBe("3");
    write("notebooks/count.ts", "export let count = 9; export const more = () => ++count;");
    expect(await session.value(cell)).toBe("10");
  });

  it("runs what imports a changed file again, and nothing else", async () => {
    const counting = (name: string, rest: string): void => {
      write(
        `notebooks/${name}.ts`,
        `(globalThis as any).ran${name} = ((globalThis as any).ran${name} ?? 0) + 1; ${rest}`,
      );
    };
    counting("Leaf", "export const leaf = 1;");
    counting("Side", "export const side = 5;");
    counting(
      "Top",
      "import { leaf } from './Leaf.js'; import { side } from './Side.js'; export const top = leaf + side;",
    );
    const cell = "import { top } from './Top'; [top, ranLeaf, ranSide, ranTop]";
    expect(await session.value(cell)).toBe("[ 6, 1, 1, 1 ]");
    counting("Leaf", "export const leaf = 2;");
    expect(await session.value(cell)).toBe("[ 7, 2, 1, 2 ]");
    write("notebooks/data.json", '{ "rows": [3] }');
    expect(await session.value("import data2 from './data.json'; data2.rows")).toBe("[ 3 ]");
  });

  it("tries a failed file again", async () => {
    write(
      "notebooks/fails.ts",
      "export const fixed: boolean = true; if (!(globalThis as any).ready) throw new Error('not ready')",
    );
    expect((await session.error("import { fixed } from './fails'")).evalue).toBe("not ready");
    expect(await session.value("(globalThis as any).ready = true; import { fixed } from './fails'; fixed")).toBe(
      "true",
    );
  });

  const errors: Readonly<Record<string, readonly [cell: string, message: RegExp]>> = {
    "a misspelt package": ["import 'maped'", /^import: cannot find "maped" from .*notebooks; did you mean "mapped"\?$/],
    "a misspelt builtin": ["import 'node:pth'", /cannot find "node:pth" from .*; did you mean "node:path"\?$/],
    "a misspelt file": ["import './hlper'", /^import: cannot find ".\/hlper" from .*; did you mean ".\/helper"\?$/],
    "a hidden subpath": [
      "import 'mapped/src/x.js'",
      /^import: package "mapped" in .* has no export ".\/src\/x.js"; known: \., /,
    ],
    "a closed pattern": ["import 'mapped/features/private/x'", /has no export/],
    "an unknown attribute": ["import './data.json' with { type: 'css' }", /^import: unknown attribute type: "css"/],
    "a web address": ["import 'https://example.org/x.js'", /^import: "https:.*" has a scheme that cannot be imported/],
    "JSON that is none": ["import './broken.json'", /^import: .*broken\.json is not JSON/],
    "a missing name in a file": [
      "import { anwser } from './helper'",
      /has no export "anwser"; did you mean "answer"\?/,
    ],
  };

  it.each(Object.entries(errors))("says what is wrong: %s", async (_name, [cell, message]) => {
    write("notebooks/broken.json", "{");
    expect((await session.error(cell)).evalue).toMatch(message);
  });

  it("points to line and column of imported files, whatever they were compiled to", async () => {
    write(
      "notebooks/lib/deep.ts",
      "interface Gone {\n  a: number\n}\nexport function thrower(): never {\n  throw new Error('deep');\n}\n",
    );
    const { trace } = await session.error("import { thrower } from './lib/deep';\n\nthrower()");
    expect(trace).toMatch(/at thrower \(lib\/deep\.ts:5:9\)\n {4}at cell\[\d+\]\.ts:3:1/);
    expect(trace).toContain("> 5 |   throw new Error('deep');\n    |         ^");
    write("notebooks/lib/wrong.ts", "export const a = 1;\nexport const b = ;\n");
    expect((await session.error("import './lib/wrong'")).trace).toContain("at lib/wrong.ts:2:18");
  });
});
