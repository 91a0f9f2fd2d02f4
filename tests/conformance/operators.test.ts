import { afterAll, describe, expect, it } from "vitest";
import { build, evaluate, gradients, operators } from "../../kernel/lib/graph/index.js";
import { OrtEngine } from "../../kernel/lib/host/session.js";
import { isFloat, sizeOf, Tensor } from "../../kernel/lib/tensor/index.js";
import { caseOf, expectClose, lossOf, randomNumbers } from "./cases.js";
import { samples } from "./samples.js";

const engine = new OrtEngine("cpu");

const table = Object.keys(operators).flatMap((op) => (samples[op] ?? []).map((sample, i) => ({ op, i, sample })));

afterAll(() => expect(table.length).toBeGreaterThan(100));

it("has samples for every operator", () => {
  expect(Object.keys(operators).filter((op) => !samples[op]?.length)).toEqual([]);
  expect(Object.keys(samples).filter((op) => !operators[op])).toEqual([]);
});

describe.each(table)("$op, sample $i", ({ op, sample }) => {
  it.each([false, true])("onnxruntime = reference (symbolic axes: %s)", async (symbolic) => {
    // Without an axis of 63 there is nothing to hide.
    if (symbolic && !sample.operands.some(({ shape, values }) => shape.includes(63) && !values)) return;
    const { node, feeds } = caseOf(op, sample, "float32", symbolic);
    const expected = evaluate({ y: node }, feeds)["y"];
    const compiled = await engine.compile({ y: node });
    const got = (await compiled.run(feeds))["y"];
    await compiled.dispose();
    expect(got.dtype).toBe(node.dtype);
    expect(got.shape).toEqual([...expected.shape]);
    if (!symbolic) expect(got.shape).toEqual([...node.shape]);
    expectClose(got.numbers(), expected.data, 2e-6, op);
  });

  it("gradient = central differences, and onnxruntime computes the same", async () => {
    const { node, leaves, feeds } = caseOf(op, sample, "float64", false);
    if (!isFloat(node.dtype)) return;
    const wrt = leaves.filter(({ dtype }) => isFloat(dtype));
    if (wrt.length === 0) return;
    const loss = lossOf(node);
    const outputs = Object.fromEntries(gradients(loss, wrt).map((d, i) => [`d${i}`, d]));
    const analytic = evaluate(outputs, feeds);
    const step = 1e-5;
    wrt.forEach((leaf, i) => {
      const name = leaf.label!;
      const data = feeds[name].data as Float64Array;
      const at = (position: number, shift: number): number => {
        const moved = data.slice();
        moved[position] += shift;
        const fed = { ...feeds, [name]: new Tensor("float64", feeds[name].shape, moved) };
        return evaluate({ loss }, fed)["loss"].data[0];
      };
      const numeric = Array.from(data, (_, k) => (at(k, step) - at(k, -step)) / (2 * step));
      expect(analytic[`d${i}`].shape).toEqual([...leaf.shape]);
      expectClose(analytic[`d${i}`].data, numeric, 1e-6, `${op} by operand ${name}`);
    });

    const single = caseOf(op, sample, "float32", false);
    const singleWrt = single.leaves.filter(({ dtype }) => isFloat(dtype));
    const derivatives = gradients(lossOf(single.node), singleWrt);
    const compiled = await engine.compile(Object.fromEntries(derivatives.map((d, i) => [`d${i}`, d])));
    const got = await compiled.run(single.feeds);
    await compiled.dispose();
    derivatives.forEach((_, i) => expectClose(got[`d${i}`].numbers(), analytic[`d${i}`].data, 2e-5, `${op} d${i}`));
  });

  it("second derivative = differences of the first, along one direction", () => {
    const { node, leaves, feeds } = caseOf(op, sample, "float64", false);
    const wrt = leaves.filter(({ dtype }) => isFloat(dtype));
    if (!isFloat(node.dtype) || wrt.length === 0 || sample.isSingular) return;
    // Squared, so that operators that are linear have a second derivative too.
    const slope = gradients(lossOf(build.mul(node, node)), wrt)
      .map(lossOf)
      .reduce((a, b) => build.add(a, b));
    const second = evaluate(Object.fromEntries(gradients(slope, wrt).map((d, i) => [`d${i}`, d])), feeds);
    const random = randomNumbers(op.length);
    const ways = wrt.map(({ shape }) => Array.from({ length: sizeOf(shape as number[]) }, () => random() - 0.5));
    const at = (step: number): number => {
      const moved = wrt.map(({ label, shape }, i) => {
        const data = (feeds[label!].data as Float64Array).map((x, k) => x + step * ways[i][k]);
        return [label!, new Tensor("float64", shape as number[], data)] as const;
      });
      return evaluate({ slope }, { ...feeds, ...Object.fromEntries(moved) })["slope"].data[0];
    };
    const analytic = ways.reduce((sum, way, i) => way.reduce((s, x, k) => s + x * second[`d${i}`].data[k], sum), 0);
    expectClose([analytic], [(at(1e-5) - at(-1e-5)) / 2e-5], 1e-6, op);
  });
});
