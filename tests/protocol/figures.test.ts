import { afterAll, beforeAll, expect, test } from "vitest";
import { headGrid, headGridMime } from "../../kernel/views/index.js";
import { startKernel, type Json } from "./client.js";

let kernel: Awaited<ReturnType<typeof startKernel>>;
beforeAll(async () => {
  kernel = await startKernel();
  await kernel.client.execute("var kernel = globalThis[Symbol.for('attention-lab.kernel')]");
});
afterAll(() => kernel.stop());

const payload = headGrid({
  title: "two heads",
  layers: 1,
  heads: 2,
  causal: false,
  samples: [
    {
      queryTokens: ["a", "b"],
      keyTokens: ["a", "b"],
      pattern: (_, head) => Float32Array.from(head === 0 ? [1, 0, 0.5, 0.5] : [0.25, 0.75, 0, 1]),
    },
  ],
  provenance: { model: "test" },
});
const shown = (bundle: unknown): string => `({ [Symbol.for('Jupyter.display')]: () => (${JSON.stringify(bundle)}) })`;
const dataOf = (content: Json | undefined): Json => content?.["data"] as Json;

test("a payload with a figure gets a PNG at twice its size, beside the payload and the text", async () => {
  const cell = await kernel.client.execute(shown({ [headGridMime]: payload, "text/plain": "two heads" }));
  const data = dataOf(cell.all("execute_result")[0]?.content);
  expect(data[headGridMime]).toEqual(JSON.parse(JSON.stringify(payload)));
  expect(data["text/plain"]).toBe("two heads");
  const png = Buffer.from(String(data["image/png"]), "base64");
  expect(png.subarray(1, 4).toString()).toBe("PNG");
  expect(png.readUInt32BE(16)).toBeGreaterThan(400);
  expect(cell.text("stderr")).toBe("");
});

test("a picture that is there already stays", async () => {
  const cell = await kernel.client.execute(shown({ [headGridMime]: payload, "image/png": "AAAA" }));
  expect(dataOf(cell.all("execute_result")[0]?.content)["image/png"]).toBe("AAAA");
});

test("an invalid payload keeps its bundle, and stderr says why", async () => {
  const cell = await kernel.client.execute(
    `kernel.display(${JSON.stringify({ [headGridMime]: { version: 1 } })}, { raw: true }); 0`,
  );
  expect(cell.status).toBe("ok");
  expect(dataOf(cell.all("display_data")[0]?.content)).toEqual({ [headGridMime]: { version: 1 } });
  expect(cell.text("stderr")).toContain(headGridMime);
});

test("a payload without a figure passes as it is", async () => {
  const cell = await kernel.client.execute(
    shown({ "application/vnd.attention-lab.unknown.v1+json": {}, "text/plain": "u" }),
  );
  expect(Object.keys(dataOf(cell.all("execute_result")[0]?.content)).sort()).toEqual([
    "application/vnd.attention-lab.unknown.v1+json",
    "text/plain",
  ]);
});
