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
