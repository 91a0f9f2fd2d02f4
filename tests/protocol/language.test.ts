import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startKernel, type Json } from "./client.js";

describe("help while typing", () => {
  let kernel: Awaited<ReturnType<typeof startKernel>>;
  beforeAll(async () => {
    kernel = await startKernel();
    await kernel.client.execute(
      "const attentionHeads = 12; function mass(row: Float32Array): number { return row.length }",
    );
  });
  afterAll(() => kernel.stop());

  const complete = async (code: string, cursor = [...code].length): Promise<Json> =>
    (await kernel.client.request("complete_request", { code, cursor_pos: cursor })).content;

  test("names of earlier cells are completed", async () => {
    const reply = await complete("attentionHe");
    expect(reply).toMatchObject({ status: "ok", cursor_start: 0, cursor_end: 11 });
    expect(reply["matches"]).toContain("attentionHeads");
  });

  test("cursors count code points, also behind emoji", async () => {
    const code = "'🦊🦊'; attentionHe + 1";
    const reply = await complete(code, 17);
    expect(reply).toMatchObject({ cursor_start: 6, cursor_end: 17 });
    expect(reply["matches"]).toEqual(["attentionHeads"]);
  });

  test("completion and inspection answer while a cell computes", async () => {
    const cell = await kernel.client.start("while (true) {}");
    await kernel.client.running(cell);
    expect((await complete("mas"))["matches"]).toContain("mass");
    const inspected = await kernel.client.request("inspect_request", { code: "mass", cursor_pos: 2, detail_level: 0 });
    expect(kernel.client.hasReplied(cell)).toBe(false);
    expect(inspected.content).toMatchObject({ status: "ok", found: true });
    expect(JSON.stringify(inspected.content["data"])).toContain("row: Float32Array");
    await kernel.client.interrupt();
    await kernel.client.idle(cell);
  });

  test("an unknown name is not found", async () => {
    const { content } = await kernel.client.request("inspect_request", {
      code: "nobodyKnowsThis",
      cursor_pos: 3,
      detail_level: 0,
    });
    expect(content).toMatchObject({ status: "ok", found: false });
  });

  test("type errors do not block a cell, unless it begins with // @check", async () => {
    const wrong = "const count: number = 'text' as unknown as never as string; count";
    expect((await kernel.client.execute(wrong)).status).toBe("ok");
    const checked = await kernel.client.execute(`// @check\n${wrong}`);
    expect(checked.status).toBe("error");
    expect(checked.reply.content["evalue"]).toMatch(/\.ts:2:\d+ TS2322/);
    expect((await kernel.client.execute("// @check\nconst fine: number = 1; fine")).result).toBe("1");
  });
});
