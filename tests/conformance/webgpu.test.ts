import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Value } from "../../kernel/lib/graph/index.js";
import { evaluate, gradients, operators } from "../../kernel/lib/graph/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import type { Tensor } from "../../kernel/lib/tensor/index.js";
import { isFloat } from "../../kernel/lib/tensor/index.js";
import { ChildThread } from "../devices/childThread.js";
import { softwareVulkan, webgpuTitle } from "../devices/softwareVulkan.js";
import { caseOf, expectClose, lossOf } from "./cases.js";
import type { Sample } from "./samples.js";
import { samples } from "./samples.js";

const vulkan = softwareVulkan();

const isDouble = ({ operands, attributes }: Sample): boolean =>
  attributes?.["to"] === "float64" || operands.some(({ dtype }) => dtype === "float64");

interface Batch {
  readonly outputs: Record<string, Value>;
  readonly feeds: Record<string, Tensor>;
  /** Outputs that are derivatives: their rounding errors add up. */
  readonly derivatives: Set<string>;
}

/** Every sample of an operator in one graph, with fixed and with symbolic sizes, and its derivatives. */
function batchOf(op: string): Batch {
  const batch: Batch = { outputs: {}, feeds: {}, derivatives: new Set() };
  const usable = samples[op].filter((sample) => !isDouble(sample));
  usable.forEach((sample, i) => {
    for (const symbolic of [false, true]) {
      if (symbolic && !sample.operands.some(({ shape, values }) => shape.includes(63) && !values)) continue;
      const name = `${symbolic ? "symbolic" : "fixed"} ${i}`;
      const { node, leaves, feeds } = caseOf(op, sample, "float32", symbolic, `${name} operand `);
      batch.outputs[name] = node;
      Object.assign(batch.feeds, feeds);
      const wrt = leaves.filter(({ dtype }) => isFloat(dtype));
      if (symbolic || !isFloat(node.dtype) || wrt.length === 0) continue;
      gradients(lossOf(node), wrt).forEach((d, k) => {
        batch.outputs[`${name} by ${k}`] = d;
        batch.derivatives.add(`${name} by ${k}`);
      });
    }
  });
  return batch;
}

describe.skipIf(!vulkan)(webgpuTitle("conformance", vulkan), () => {
  let thread: ChildThread;
  let engine: OrtEngine;
  beforeAll(() => {
    thread = new ChildThread(vulkan!);
    engine = new OrtEngine("webgpu", { thread });
  });
  afterAll(() => thread.end());

  it.each(Object.keys(operators))("%s: values and derivatives = reference", async (op) => {
    const { outputs, feeds, derivatives } = batchOf(op);
    const expected = evaluate(outputs, feeds);
    const compiled = await engine.compile(outputs);
    const got = await compiled.run(feeds);
    await compiled.dispose();
    expect(Object.keys(got).length).toBeGreaterThan(0);
    for (const [name, value] of Object.entries(outputs)) {
      expect(got[name].dtype, name).toBe(value.dtype);
      expect(got[name].shape, name).toEqual([...expected[name].shape]);
      expectClose(got[name].numbers(), expected[name].data, derivatives.has(name) ? 2e-5 : 2e-6, `${op}, ${name}`);
    }
  });

  const doubles = Object.entries(samples).flatMap(([op, list]) =>
    list.filter(isDouble).map((sample) => ({ op, sample })),
  );
  it.each(doubles)("$op in float64 is refused by name, not run elsewhere in silence", async ({ op, sample }) => {
    const { node } = caseOf(op, sample, "float32", false);
    await expect(engine.compile({ y: node })).rejects.toThrow(new RegExp(`webgpu has no kernel for ${op} .*float64`));
  });
});
