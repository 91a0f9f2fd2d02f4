import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startKernel } from "./client.js";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "attention-lab-")));
let kernel: Awaited<ReturnType<typeof startKernel>>;
beforeAll(async () => {
  mkdirSync(join(folder, "data"));
  writeFileSync(join(folder, "helper.ts"), "export const answer: number = 42;");
  writeFileSync(join(folder, "old.cjs"), "module.exports = { old: __filename.endsWith('old.cjs') };");
  writeFileSync(join(folder, "data", "row.json"), "[1, 2]");
  kernel = await startKernel({ cwd: folder });
});
afterAll(async () => {
  await kernel.stop();
  rmSync(folder, { recursive: true, force: true });
});
const value = async (code: string): Promise<unknown> => (await kernel.client.execute(code)).result;

test("import.meta tells the notebook's folder", async () => {
  const file = join(folder, "notebook.ts");
  expect(await value("import.meta.dirname")).toBe(`'${folder}'`);
  expect(await value("import.meta.filename")).toBe(`'${file}'`);
  expect(await value("import.meta.url")).toBe(`'${pathToFileURL(file).href}'`);
  expect(await value("new URL('./data/row.json', import.meta.url).pathname.endsWith('/data/row.json')")).toBe("true");
});

test("process.chdir moves file names; imports stay relative to the notebook", async () => {
  expect(await value("process.chdir('data'); require('fs').readFileSync('row.json', 'utf8')")).toBe("'[1, 2]'");
  expect(await value("import { answer } from './helper.ts'; answer")).toBe("42");
  expect(await value("(await import('./data/row.json')).default[1]")).toBe("2");
  expect(await value("import.meta.dirname")).toBe(`'${folder}'`);
  expect(await value("process.chdir('..'); process.cwd()")).toBe(`'${folder}'`);
});

test("require loads what CommonJS can, relative to the notebook", async () => {
  expect(await value("require('./old.cjs').old")).toBe("true");
  expect(await value("require('node:path').basename('/a/b')")).toBe("'b'");
  expect(await value("typeof require.resolve")).toBe("'function'");
  const { reply } = await kernel.client.execute("require('no-such-package')");
  expect(String(reply.content["evalue"])).toMatch(/^Cannot find module 'no-such-package'/);
});
