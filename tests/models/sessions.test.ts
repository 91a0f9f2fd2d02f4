import { expect, it } from "vitest";
import type { Engine } from "../../kernel/lib/graph/index.js";
import { load } from "../../kernel/lib/index.js";
import { Model } from "../../kernel/lib/models/index.js";
import { readOracle } from "./oracle.js";

const prompt = { inputIds: [[5, 6, 7, 8, 9]] };

it("logits that are not asked for are not computed, and the rest is the same bit for bit", async () => {
  const parts = (await load((await readOracle("gpt2")).folder)).parts();
  const compiled: string[][] = [];
  const compile: Engine["compile"] = async (outputs, settings) => {
    compiled.push(Object.keys(outputs));
    return parts.engine.compile(outputs, settings);
  };
  const { device, dtype } = parts.engine;
  const model = new Model({ ...parts, engine: { device, dtype, compile } });
  const capture = ["blocks.1.attn.z"];
  const [bare, more, whole] = [
    await model.run(prompt, { outputs: false }),
    await model.run(prompt, { outputs: false, capture }),
    await model.run(prompt, { capture }),
  ];
  expect(compiled.map((names) => names.includes("logits"))).toEqual([false, false, true]);
  expect(() => bare.logits).toThrow("run.logits: this run left its outputs out");
  for (const address of bare.addresses) expect([...bare.at(address).data]).toEqual([...whole.at(address).data]);
  expect([...more.at(capture[0]).data]).toEqual([...whole.at(capture[0]).data]);
  expect(whole.logits.shape.slice(0, 2)).toEqual([1, 5]);
  await model.dispose();
});

it("the last two graphs stay loaded, however often each ran", async () => {
  const parts = (await load((await readOracle("gpt2")).folder)).parts();
  const released: string[] = [];
  const compile: Engine["compile"] = async (outputs, settings) => {
    const compiled = await parts.engine.compile(outputs, settings);
    const dispose = async (): Promise<void> => {
      released.push(Object.keys(outputs).join());
      return compiled.dispose();
    };
    return { ...compiled, dispose };
  };
  const { device, dtype } = parts.engine;
  const model = new Model({ ...parts, engine: { device, dtype, compile } });
  const pass = async (name: string, address: string): Promise<unknown> =>
    model.compute(prompt, ({ at }) => ({ [name]: at(address) }), { repeated: true });
  await pass("a", "embed");
  for (let i = 0; i < 3; i++) await pass("b", "blocks.0.resid_post");
  expect(released).toEqual(["b", "b"]); // its own users of before
  await pass("a", "embed");
  await pass("c", "blocks.1.resid_post");
  expect(released).toEqual(["b", "b", "a", "b"]);
  await model.dispose();
});
