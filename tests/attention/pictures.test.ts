import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Call, Mechanism } from "../../kernel/lib/attention/index.js";
import { lawsOf, masks, maskTensor, mechanism, mechanisms } from "../../kernel/lib/attention/index.js";
import { depthwise } from "../../kernel/lib/attention/depthwise.js";
import { distance } from "../../kernel/lib/attention/laws/law.js";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build, constant, evaluate } from "../../kernel/lib/graph/index.js";
import { random, Tensor } from "../../kernel/lib/tensor/index.js";

const normal = (seed: number, shape: readonly number[]): Value =>
  constant(random(seed).normal(shape, { dtype: "float64" }));
const filled = (shape: readonly number[], x: number): Value =>
  constant(new Tensor("float64", shape, new Float64Array(shape.reduce((a, b) => a * b, 1)).fill(x)));
const callOf = (tokens = 16): Pick<Call, "q" | "k" | "v"> => {
  const [q, k, v] = [1, 2, 3].map((seed) => normal(seed, [1, 2, tokens, 4]));
  return { q, k, v };
};
const apart = (a: Value, b: Value): number => {
  const got = evaluate({ a, b });
  return distance(got["a"].data, got["b"].data);
};
/** Initial parameters of a mechanism for two heads of four channels, some of them replaced. */
const parametersOf = (
  unit: Mechanism,
  replaced: Readonly<Record<string, number>>,
  options: object = {},
): Record<string, Value> => {
  const heads = { heads: 2, keyHeads: 2, valueHeads: 2, headDim: 4, valueDim: 4 };
  const specs = unit.parameters!({ batch: 1, queries: 16, keys: 16, ...heads }, unit.optionsOf(options));
  return Object.fromEntries(
    Object.entries(specs).map(([name, { shape }], at) => [
      name,
      name in replaced ? filled(shape, replaced[name]) : normal(10 + at, shape),
    ]),
  );
};

describe("mechanisms over pictures in cases that are known", () => {
  it("neighbourhood: a window of 1 gives the values, and the mask says the same as the groups", () => {
    const call = callOf();
    expect(apart(mechanisms.neighbourhood.attend(call, { window: 1 }).z, call.v)).toBe(0);
    const mask = constant(maskTensor(masks.neighbourhood({ shape: [4, 4], window: 3 }), 16, 16));
    const ours = mechanisms.neighbourhood.attend(call, { window: 3 });
    expect(apart(ours.z, mechanisms.softmax.attend({ ...call, mask }).z)).toBeLessThan(1e-12);
  });

  it("biLevel: what the authors' code gives", () => {
    const file = new URL("../oracles/mechanisms/golden.json", import.meta.url);
    interface Held {
      readonly shape: readonly number[];
      readonly data: readonly number[];
    }
    const { cases } = JSON.parse(readFileSync(file, "utf8")) as {
      cases: { name: string; inputs: Record<string, Held>; outputs: Record<string, Held> }[];
    };
    const { inputs, outputs } = cases.find(({ name }) => name === "biformer_topk2")!;
    const split = ({ data }: Held): Value => {
      const all = constant(new Tensor("float64", [1, 64, 2, 4], Float64Array.from(data)));
      return build.transpose(all, [0, 2, 1, 3]);
    };
    const x = split(inputs["x"]);
    const options = { grid: [8, 8], regions: 4, count: 2, kernel: 0 } as const;
    expect(apart(mechanisms.biLevel.attend({ q: x, k: x, v: x }, options).z, split(outputs["o"]))).toBeLessThan(2e-5);
  });

  it("aggregated: without learned tokens its rows sum to 1", () => {
    const parameters = parametersOf(mechanisms.aggregated, { tokens: 0, tokenBias: 0 });
    const { pattern } = mechanisms.aggregated.attend({ ...callOf(), parameters });
    const sums = evaluate({ sums: build.reduceSum(pattern, [3]) })["sums"].data;
    for (const sum of sums) expect(sum).toBeCloseTo(1, 12);
  });

  it("matchWindow: between two tokens it is the mean of both places", () => {
    const at = (column: number): Value => {
      const gates = { row: filled([1, 2, 16], 0), column: filled([1, 2, 16], column) };
      return mechanisms.matchWindow.attend({ ...callOf(), gates }, { window: 1 }).z;
    };
    const mean = build.mul(build.add(at(0), at(1)), 0.5);
    expect(apart(at(0.5), mean)).toBeLessThan(1e-12);
    expect(apart(at(0), at(1))).toBeGreaterThan(0.1);
  });

  it("proxies: of windows of one token it is softmax attention twice", () => {
    const call = callOf();
    const once = mechanisms.softmax.attend(call).z;
    const twice = mechanisms.softmax.attend({ ...call, v: once }).z;
    expect(apart(mechanisms.proxies.attend(call, { window: 1 }).z, twice)).toBeLessThan(1e-12);
  });

  it("imagePairs: with the same picture again it is softmax attention, at half the weights", () => {
    const call = callOf();
    const { z, pattern } = mechanisms.imagePairs.attend({
      ...call,
      gates: { otherKeys: call.k, otherValues: call.v },
    });
    const plain = mechanisms.softmax.attend(call);
    expect(apart(z, plain.z)).toBeLessThan(1e-12);
    expect(apart(build.mul(pattern, 2), plain.pattern)).toBeLessThan(1e-12);
  });

  it("classQuery: the first row is that of softmax attention", () => {
    const call = callOf();
    const first = (x: Value): Value => build.slice(x, 2, 0, 1);
    const [ours, plain] = [mechanisms.classQuery.attend(call), mechanisms.softmax.attend(call)];
    expect(apart(first(ours.z), first(plain.z))).toBeLessThan(1e-12);
    expect(apart(first(ours.pattern), first(plain.pattern))).toBeLessThan(1e-12);
  });

  it("statisticsPooling: of equal scores it is plain mean and deviation", () => {
    const call = callOf();
    const parameters = parametersOf(mechanisms.statisticsPooling, { up: 0, upBias: 0 });
    const { z } = mechanisms.statisticsPooling.attend({ ...call, parameters });
    const mean = build.reduceMean(call.v, [2], true);
    const centred = build.sub(call.v, mean);
    const deviation = build.sqrt(build.reduceMean(build.mul(centred, centred), [2], true));
    const plain = build.expand(build.concat([mean, deviation], 3), [1, 2, 16, 8]);
    expect(apart(z, plain)).toBeLessThan(1e-9);
  });

  it("pooling by a query of text over frames: equal frames give their mean, one frame gives itself", () => {
    const [q, frame] = [normal(1, [1, 2, 3, 4]), normal(2, [1, 2, 1, 4])];
    const same = build.expand(frame, [1, 2, 5, 4]);
    const values = normal(3, [1, 2, 5, 4]);
    const { z } = mechanisms.softmax.attend({ q, k: same, v: values });
    expect(apart(z, build.expand(build.reduceMean(values, [2], true), [1, 2, 3, 4]))).toBeLessThan(1e-12);
    const one = mechanisms.softmax.attend({ q, k: frame, v: frame });
    expect(apart(one.z, build.expand(frame, [1, 2, 3, 4]))).toBeLessThan(1e-12);
  });

  it("efficient probing is softmax with one head of keys: each query pools its own slice of the values", () => {
    const [slices, width, tokens] = [3, 6, 5];
    const [x, w] = [normal(1, [tokens, width]), normal(2, [width, width])];
    const queries = normal(3, [slices, width]);
    const mapped = build.transpose(build.reshape(build.matMul(x, w), [tokens, slices, width / slices]), [1, 0, 2]);
    const { z } = mechanisms.softmax.attend({
      q: build.unsqueeze(queries, [0, 2]),
      k: build.unsqueeze(x, [0, 1]),
      v: build.unsqueeze(mapped, [0]),
    });
    const weights = build.softmax(
      build.mul(build.matMul(queries, build.transpose(x, [1, 0])), 1 / Math.sqrt(width)),
      1,
    );
    const wanted = build.matMul(build.unsqueeze(weights, [1]), mapped);
    expect(apart(z, build.unsqueeze(wanted, [0]))).toBeLessThan(1e-12);
  });

  it("agent: with its convolution it is what the reference says, and without it the same less the convolution", () => {
    const options = { agents: 3, kernel: 3 };
    const unit: Mechanism = mechanism({
      ...mechanisms.agent,
      defaults: { ...mechanisms.agent.defaults, ...options },
      promises: { ...mechanisms.agent.promises, mixesValues: false },
      askedOn: { queries: 9 },
    });
    expect(lawsOf(unit).filter(({ result }) => result === "fails")).toEqual([]);
    const parameters = parametersOf(mechanisms.agent, { kernel: 0, kernelBias: 0.5 }, options);
    const [ours, plain] = [callOf()].flatMap((call) => [
      mechanisms.agent.attend({ ...call, parameters }, options),
      mechanisms.agent.attend(call, { agents: 3 }),
    ]);
    expect(apart(ours.z, build.add(plain.z, 0.5))).toBeLessThan(1e-12);
  });

  it("largeKernel: with kernels that only hold a one in the middle, its gate is the picture itself", () => {
    const { q, k } = callOf(9);
    const middle = (side: number): Value => {
      const one = Float64Array.from({ length: 2 * 4 * side * side }, (_, at) =>
        Number(at % (side * side) === (side * side - 1) / 2),
      );
      return constant(new Tensor("float64", [2, 4, side, side], one));
    };
    const identity = Float64Array.from({ length: 32 }, (_, at) => Number(Math.floor((at % 16) / 4) === at % 4));
    const parameters = { near: middle(5), far: middle(7), mix: constant(new Tensor("float64", [2, 4, 4], identity)) };
    const { z, pattern } = mechanisms.largeKernel.attend({ q, k, v: q, parameters });
    expect(apart(z, build.mul(q, q))).toBeLessThan(1e-12);
    expect(apart(pattern, mechanisms.channelGroups.attend({ q, k, v: q }).pattern)).toBe(0);
  });

  it("gaussianGate: of wide curves all tokens weigh alike", () => {
    const call = callOf();
    const parameters = parametersOf(mechanisms.gaussianGate, { width: 1e6 });
    expect(apart(mechanisms.gaussianGate.attend({ ...call, parameters }).z, build.mul(call.v, 1 / 16))).toBeLessThan(
      1e-9,
    );
  });

  it("lowRank: of full rank and identities it is softmax attention of scale 1", () => {
    const call = callOf();
    const identity = Float64Array.from({ length: 32 }, (_, at) => Number(Math.floor((at % 16) / 4) === at % 4));
    const factor = constant(new Tensor("float64", [2, 4, 4], identity));
    const parameters = { ofQueries: factor, ofKeys: factor, weights: filled([2, 4], 1) };
    const ours = mechanisms.lowRank.attend({ ...call, parameters }, { rank: 4 });
    expect(apart(ours.z, mechanisms.softmax.attend(call, { scale: 1 }).z)).toBeLessThan(1e-12);
  });

  it("strip: of single tokens and identities it is softmax attention", () => {
    const call = callOf();
    const identity = Float64Array.from({ length: 32 }, (_, at) => Number(Math.floor((at % 16) / 4) === at % 4));
    const factor = constant(new Tensor("float64", [2, 4, 4], identity));
    const parameters = { ofQueries: factor, ofKeys: factor };
    const ours = mechanisms.strip.attend({ ...call, parameters }, { pool: 1, channels: 4 });
    expect(apart(ours.z, mechanisms.softmax.attend(call).z)).toBeLessThan(1e-12);
  });

  it("dynamicKernel: without context and inhibition it is an ordinary convolution", () => {
    const call = callOf();
    const parameters = parametersOf(mechanisms.dynamicKernel, { map: 0, inhibition: -50 });
    const kernel = build.expand(build.reshape(parameters["kernel"], [2, 1, 3, 3]), [2, 4, 3, 3]);
    const plain = depthwise(call.v, kernel, [4, 4]);
    expect(apart(mechanisms.dynamicKernel.attend({ ...call, parameters }).z, plain)).toBeLessThan(1e-12);
  });

  it("name what does not fit a picture", () => {
    const call = callOf(12);
    expect(() => mechanisms.neighbourhood.attend(call)).toThrow(
      'neighbourhood: grid must be [rows, columns] with a product of 12 tokens, got "square"',
    );
    expect(() => mechanisms.halo.attend(call, { grid: [3, 4], block: 2 })).toThrow(
      "halo: block must divide 3 rows and 4 columns, got 2",
    );
    expect(() => mechanisms.neighbourhood.attend(call, { grid: [3, 4], dilation: 4 })).toThrow(
      "dilation must be at most 3",
    );
    expect(() => mechanisms.aggregated.attend({ ...call, parameters: parametersOf(mechanisms.aggregated, {}) }, { grid: [2, 6], window: 3, pool: 4 })).toThrow("pool must divide"); // prettier-ignore
  });
});
