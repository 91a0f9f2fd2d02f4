// Every sweep that is stopped keeps what is done, and the same call goes on from there.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Model, PathReceiver } from "../../kernel/lib/index.js";
import {
  ablate,
  activationPatching,
  attributionPatching,
  edgeAttribution,
  load,
  logitDifference,
  pathPatching,
} from "../../kernel/lib/index.js";
import { readOracle } from "../models/oracle.js";
import { snapshot } from "./laws/law.js";

const clean = { inputIds: [[5, 6, 7, 8, 9], [11, 12, 13, 14, 15]] }; // prettier-ignore
const corrupted = { inputIds: [[5, 6, 40, 8, 9], [11, 12, 41, 14, 15]] }; // prettier-ignore
const metric = logitDifference(7, 9);
const receivers: readonly PathReceiver[] = [{ layer: 2, head: 1, input: "q" }];

interface Watch {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Each with the passes that one of its steps takes. */
const sweeps: Readonly<Record<string, readonly [passes: number, sweep: (model: Model, watch: Watch) => Promise<unknown>]>> = {
  ablate: [3, async (model, watch) => ablate(model, clean, { metric, randomHeads: 0, ...watch })],
  "activationPatching of heads": [3, async (model, watch) => activationPatching(model, clean, corrupted, { metric, over: "heads", ...watch })],
  "activationPatching of tokens": [3, async (model, watch) => activationPatching(model, clean, corrupted, { metric, over: "tokens", ...watch })],
  attributionPatching: [2, async (model, watch) => attributionPatching(model, clean, corrupted, { metric, checkedLayers: [], ...watch })],
  pathPatching: [2, async (model, watch) => pathPatching(model, clean, corrupted, { metric, receivers, ...watch })],
  edgeAttribution: [1, async (model, watch) => edgeAttribution(model, clean, corrupted, { metric, method: "EAP-IG", steps: 8, ...watch })],
}; // prettier-ignore

let model: Model;
let passes = 0;
beforeAll(async () => {
  model = await load((await readOracle("gpt2")).folder);
  const compute = model.compute.bind(model);
  model.compute = (...args: Parameters<typeof compute>) => {
    passes++;
    return compute(...args);
  };
});
afterAll(() => model.dispose());

it.each(Object.entries(sweeps))("%s", async (_name, [perStep, sweep]) => {
  const counted = async (watch: Watch = {}): Promise<readonly [unknown, number]> => {
    passes = 0;
    return [snapshot(await sweep(model, watch)), passes];
  };
  let steps = 0;
  const [whole, all] = await counted({ onProgress: (_done, total) => (steps = total) });
  const half = Math.floor(steps / 2);
  expect(half).toBeGreaterThan(0);
  const stop = new AbortController();
  const onProgress = (done: number): void => (done === half ? stop.abort(new Error("stopped")) : undefined);
  await expect(sweep(model, { signal: stop.signal, onProgress })).rejects.toThrow("stopped");
  const seen: number[] = [];
  const [resumed, left] = await counted({ onProgress: (done) => seen.push(done) });
  // Parts of a step come as fractions.
  expect(resumed).toEqual(whole);
  expect(left, "steps that were done are not done again").toBe(all - perStep * half);
  expect(seen.filter(Number.isInteger)).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
  // A finished sweep is forgotten: it would start anew.
  expect((await counted())[1]).toBe(all);
});

it("attributionPatching, stopped in its exact check, keeps its estimates", async () => {
  const sweep = async (watch: Watch): Promise<unknown> =>
    attributionPatching(model, clean, corrupted, { metric, checkedLayers: [0, 2], ...watch });
  const whole = snapshot(await sweep({}));
  const stop = new AbortController();
  const onProgress = (done: number): void => (done === 4 ? stop.abort(new Error("stopped")) : undefined);
  await expect(sweep({ signal: stop.signal, onProgress })).rejects.toThrow("stopped");
  passes = 0;
  expect(snapshot(await sweep({}))).toEqual(whole);
  // Two pairs run clean and corrupted, then the second goes up from layer 0 and from layer 2.
  expect(passes).toBe(4 + 2);
});
