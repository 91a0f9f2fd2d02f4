import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "../environment.js";
import { nodes, startKernel, type Execution } from "../protocol/client.js";

const folder = mkdtempSync(join(tmpdir(), "attention-lab-packages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A package of the notebook that draws with tslab. */
function writePackage(name: string, type: "module" | "commonjs", code: string): void {
  const place = join(folder, "node_modules", name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "package.json"), JSON.stringify({ name, type, main: "index.js" }));
  writeFileSync(join(place, "index.js"), code);
}
writePackage(
  "plot-esm",
  "module",
  'import * as tslab from "tslab"; import { display } from "tslab"; export const plot = (s) => { tslab.display.html(s); display.text(s) }',
);
writePackage("plot-cjs", "commonjs", 'const { display } = require("tslab"); exports.plot = (s) => display.svg(s)');
symlinkSync(join(root, "node_modules", "tslab"), join(folder, "node_modules", "tslab"), "dir");

const shown = (cell: Execution): readonly unknown[] => cell.all("display_data").map(({ content }) => content["data"]);

describe.each(nodes)("tslab in packages, on %s", (node) => {
  test("a package that imports or requires an installed tslab writes to our cells", async () => {
    const { client, stop } = await startKernel({ node, cwd: folder });
    const esm = await client.execute("import { plot } from 'plot-esm'; plot('<b>x</b>')");
    expect(esm.reply.content["evalue"]).toBeUndefined();
    expect(shown(esm)).toEqual([{ "text/html": "<b>x</b>" }, { "text/plain": "<b>x</b>" }]);
    const cjs = await client.execute("import * as cjs from 'plot-cjs'; cjs.plot('<svg/>')");
    expect(shown(cjs)).toEqual([{ "image/svg+xml": "<svg/>" }]);
    await stop();
  });
});

test("nothing need be installed", async () => {
  const { client, stop } = await startKernel();
  const cell = await client.execute(
    "import * as tslab from 'tslab'; tslab.display.text('a'); require('tslab').display.text('b'); tslab === require('tslab')",
  );
  expect(shown(cell)).toEqual([{ "text/plain": "a" }, { "text/plain": "b" }]);
  expect(cell.status).toBe("ok");
  await stop();
});

test("an output is replaced from a later cell, in the order of the calls, also between lines of text", async () => {
  const { client, stop } = await startKernel();
  const first = await client.execute(
    "import { newDisplay } from 'tslab'; const d = newDisplay(); d.text('1'); console.log('-'); d.text('2'); console.log('=')",
  );
  const order = first.outputs.map(({ type }) => type).filter((type) => /stream|display/.test(type));
  expect(order).toEqual(["display_data", "stream", "update_display_data", "stream"]);
  const later = await client.execute("d.png(new Uint8Array([255, 0]))");
  expect(later.all("update_display_data")[0]?.content).toMatchObject({
    data: { "image/png": "/wA=" },
    transient: first.all("display_data")[0]?.content["transient"],
  });
  await stop();
});
