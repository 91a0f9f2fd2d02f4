import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, Run } from "../../kernel/lib/index.js";
import { audioAttention, load, Tensor } from "../../kernel/lib/index.js";
import { cheapestPath, tokenStarts } from "../../kernel/lib/analyses/parts/tokenStarts.js";
import { audioTimelineMime, readAudioTimeline, readPatterns, type AudioTimelinePayload } from "../../kernel/lib/views/index.js"; // prettier-ignore
import { oracles, pairInputOf, readOracle } from "../models/oracle.js";

let model: Model;
let run: Run;
beforeAll(async () => {
  const oracle = await readOracle("whisper");
  model = await load(oracle.folder);
  run = await model.run(pairInputOf(oracle));
});
afterAll(() => model.dispose());

const payloadOf = async (attention: ReturnType<typeof audioAttention>): Promise<AudioTimelinePayload> =>
  readAudioTimeline((await attention.bundle())[audioTimelineMime]);

/** Stored weights, peaks and sums of a map against the first frames of a whole pattern. */
function expectStored(payload: AudioTimelinePayload, map: number, whole: readonly (readonly number[])[]): void {
  const { maps, weights, time } = payload;
  const found = readPatterns(weights, 1, maps.max).head(map, 0);
  whole.forEach((row, token) => {
    const shown = row.slice(0, time.frames);
    shown.forEach((weight, frame) =>
      expect(Math.abs(found[token * time.frames + frame] - weight)).toBeLessThanOrEqual(0.0041 * maps.max[map]),
    );
    expect(shown[maps.peak[map * whole.length + token]]).toBeCloseTo(Math.max(...shown), 6);
    const sum = shown.reduce((all, weight) => all + weight, 0);
    expect(maps.mass[map * whole.length + token]).toBeCloseTo(sum, 4);
  });
}

describe("attention over a sound", () => {
  const pattern = (layer: number, head: number): number[][] => {
    const { shape, data } = run.headPattern({ stack: "cross", layer, head });
    return Array.from({ length: shape[0] }, (_, q) => [...data.slice(q * shape[1], (q + 1) * shape[1])]);
  };
  const meanOf = (all: readonly number[][][]): number[][] =>
    all[0].map((row, q) => row.map((_, k) => all.reduce((sum, each) => sum + each[q][k] / all.length, 0)));
  const layerMean = (layer: number): number[][] => meanOf([0, 1, 2, 3, 4, 5].map((head) => pattern(layer, head)));

  it("is the mean over heads of every layer, and the mean of these, over frames of 20 ms", async () => {
    const payload = await payloadOf(audioAttention(run));
    expect(payload.maps.name).toEqual(["L0 mean", "L1 mean", "mean of 2 layers"]);
    expect(payload.time).toEqual({ frames: 25, secondsPerFrame: 0.02, block: 1 });
    expect(payload.tokens).toEqual(run.realTokens(0, "decoder"));
    expect(payload.provenance).toEqual((await run.heading()).provenance);
    [0, 1].forEach((layer) => expectStored(payload, layer, layerMean(layer)));
    expectStored(payload, 2, meanOf([layerMean(0), layerMean(1)]));
  });

  it("is every head of one layer, or the heads that are named, and their mean", async () => {
    const layer = await payloadOf(audioAttention(run, { layer: 1 }));
    expect(layer.maps.head).toEqual([0, 1, 2, 3, 4, 5, -1]);
    expectStored(layer, 4, pattern(1, 4));
    const attention = audioAttention(run, { heads: [[0, 5], [1, 2]] }); // prettier-ignore
    const named = await payloadOf(attention);
    expect(named.maps.name).toEqual(["L0.H5", "L1.H2", "mean of 2 heads"]);
    expectStored(named, 2, meanOf([pattern(0, 5), pattern(1, 2)]));
    expect(named.starts).toEqual(attention.starts?.map((start) => Number(start.toPrecision(6))));
    expect([...attention.starts!].sort((a, b) => a - b)).toEqual(attention.starts);
  });

  it("ends where the sound ends, or where it is told to, and says what is left out", async () => {
    const { bins, data } = run.sound();
    const quiet = Float32Array.from(data, (value, at) => (at % 50 < 20 ? Math.max(value, -1) : -2));
    const inputFeatures = new Tensor("float32", [1, bins, 50], quiet);
    const short = await model.run({ inputFeatures, decoderInputIds: [[3, 7]] });
    expect(short.sound().soundFrames).toBe(10);
    const payload = await payloadOf(audioAttention(short));
    expect(payload.time.frames).toBe(10);
    expect(payload.notes).toEqual(["shown until 0.2 s of 0.5 s that the model heard"]);
    expect((await payloadOf(audioAttention(short, { untilSeconds: 0.3 }))).time.frames).toBe(15);
  });

  it.each<[string, object, RegExp]>([
    ["a sound that is not there", { prompt: 9 }, /run.sound: expected a sound in 0 … \d+, got 9/],
    ["a layer that is not there", { layer: 2 }, /expected a layer in 0 … 1, got 2/],
    ["a head that is not there", { heads: [[1, 6]] }, /expected a head in 0 … 5, got 6/],
    ["no heads", { heads: [] }, /at least one head/],
    ["heads and a layer", { heads: [[0, 0]], layer: 1 }, /either layer or heads/],
    ["more than was heard", { untilSeconds: 1 }, /above 0 and at most 0.5, got 1/],
    ["a misspelt option", { heds: [] }, /did you mean "heads"/],
  ])("refuses %s", (_, options, reason) => expect(() => audioAttention(run, options)).toThrow(reason));

  it("refuses a run that read no sound", async () => {
    const other = await load(`${oracles}models/bart`);
    const read = await other.run({ inputIds: [[5, 6]], decoderInputIds: [[2, 9]] });
    expect(() => audioAttention(read)).toThrow(/BartForConditionalGeneration read no sound/);
    await other.dispose();
  });
});

describe("the alignment of tokens with a sound", () => {
  const { cases } = JSON.parse(readFileSync(`${oracles}audio/alignment.json`, "utf8")) as {
    cases: { tokens: number; frames: number; heads: number[][]; starts: number[] }[];
  };

  it.each(cases)("is that of transformers: $tokens tokens, $frames frames", ({ tokens, frames, heads, starts }) => {
    expect(tokenStarts(heads.map((head) => Float32Array.from(head)), tokens, frames)).toEqual(starts); // prettier-ignore
  });

  it("goes along the cheapest of all paths", () => {
    const [rows, columns] = [4, 5];
    const cost = Float64Array.from({ length: rows * columns }, (_, at) => Math.sin(3 * at * at + 1));
    const least = (row: number, column: number): number => {
      const steps = [[row - 1, column - 1], [row - 1, column], [row, column - 1]].filter(([r, c]) => r >= 0 && c >= 0); // prettier-ignore
      return cost[row * columns + column] + (steps.length ? Math.min(...steps.map(([r, c]) => least(r, c))) : 0);
    };
    const path = cheapestPath(cost, rows, columns);
    expect(path.reduce((sum, [row, column]) => sum + cost[row * columns + column], 0)).toBeCloseTo(least(rows - 1, columns - 1), 12); // prettier-ignore
    expect([path[0], path.at(-1)]).toEqual([[0, 0], [rows - 1, columns - 1]]); // prettier-ignore
  });
});
