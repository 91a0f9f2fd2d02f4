import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, Run } from "../../kernel/lib/index.js";
import { imageAttention, load } from "../../kernel/lib/index.js";
import {
  imageOverlayMime,
  readImageOverlay,
  readPatterns,
  type ImageOverlayPayload,
} from "../../kernel/lib/views/index.js";
import { readOracle, anyInputOf } from "../models/oracle.js";

const payloadOf = async (attention: ReturnType<typeof imageAttention>): Promise<ImageOverlayPayload> =>
  readImageOverlay((await attention.bundle())[imageOverlayMime]);

describe.each(["vit", "clip", "siglip"])("attention over the picture of %s", (name) => {
  let model: Model;
  let run: Run;
  let patterns: number[][][][]; // [layer][head][query][key], of the tower that sees
  beforeAll(async () => {
    const oracle = await readOracle(name);
    model = await load(oracle.folder);
    run = await model.run(anyInputOf(oracle));
    const { layers, heads, name: stack } = run.picture().stack;
    patterns = Array.from({ length: layers }, (_, layer) =>
      Array.from({ length: heads }, (_, head) => {
        const { shape, data } = run.headPattern({ ...(stack === "" ? {} : { stack }), layer, head });
        const [queries, keys] = shape;
        return Array.from({ length: queries }, (_, q) => Array.from(data.slice(q * keys, (q + 1) * keys)));
      }),
    );
  });
  afterAll(() => model.dispose());

  const meanOf = (layer: number): number[][] =>
    patterns[layer][0].map((row, q) =>
      row.map((_, k) => patterns[layer].reduce((sum, head) => sum + head[q][k] / patterns[layer].length, 0)),
    );
  /** Stored weights of a map against the last keys of a whole pattern. */
  function expectStored(payload: ImageOverlayPayload, map: number, whole: readonly (readonly number[])[]): void {
    const { maps, weights, queries } = payload;
    const found = readPatterns(weights, 1, maps.max).head(map, 0);
    const top = maps.max[map];
    expect(queries).toHaveLength(whole.length);
    whole.forEach((row, q) =>
      row.slice(-weights.columns).forEach((weight, k) => {
        expect(Math.abs(found[q * weights.columns + k] - weight)).toBeLessThanOrEqual(0.0041 * top);
      }),
    );
  }

  it("is the mean over heads of every layer, and the rollout of these", async () => {
    const payload = await payloadOf(imageAttention(run));
    expect(payload.maps.name).toEqual(["rollout", ...patterns.map((_, layer) => `L${layer} mean`)]);
    expect(payload.provenance).toEqual((await run.heading()).provenance);
    patterns.forEach((_, layer) => expectStored(payload, layer + 1, meanOf(layer)));
    const rollout = patterns.reduce<number[][] | undefined>((before, _, layer) => {
      const mixed = meanOf(layer).map((row, q) => row.map((weight, k) => (weight + (q === k ? 1 : 0)) / 2));
      if (!before) return mixed;
      return mixed.map((row) =>
        before[0].map((_, k) => row.reduce((sum, weight, t) => sum + weight * before[t][k], 0)),
      );
    }, undefined);
    expectStored(payload, 0, rollout!);
  });

  it("is every head of one layer, and their mean", async () => {
    const payload = await payloadOf(imageAttention(run, { layer: 1 }));
    const { heads } = run.picture().stack;
    expect(payload.maps.head).toEqual([...Array.from({ length: heads }, (_, head) => head), -1]);
    patterns[1].forEach((pattern, head) => expectStored(payload, head, pattern));
    expectStored(payload, heads, meanOf(1));
  });

  it("takes a mask over the picture", async () => {
    const { width, height } = run.picture();
    const data = Uint8Array.from({ length: width * height }, (_, at) => at % 5);
    const payload = await payloadOf(imageAttention(run, { mask: { width, height, data } }));
    expect([payload.mask!.width, payload.mask!.height]).toEqual([width, height]);
    expect(() => imageAttention(run, { mask: { width, height, data: [1] } })).toThrow(/expected a mask of/);
  });

  it("lies over the picture as the model saw it: pixel values, stretched", async () => {
    const { pixelValues } = anyInputOf(await readOracle(name));
    const { width, height, data, rows, columns } = run.picture();
    const [, , fullHeight, fullWidth] = pixelValues!.shape;
    expect([height <= fullHeight, width <= fullWidth, height % rows, width % columns]).toEqual([true, true, 0, 0]);
    const seen: number[] = [];
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) for (let c = 0; c < 3; c++) seen.push(pixelValues!.item(0, c, y, x)); // prettier-ignore
    const [least, most] = [Math.min(...seen), Math.max(...seen)];
    expect([...data]).toEqual(seen.map((value) => Math.round((value - least) * (255 / (most - least)))));
  });

  it.each<[string, () => unknown, RegExp]>([
    ["a picture that is not there", () => imageAttention(run, { picture: 9 }), /expected a picture in 0 … \d+, got 9/],
    ["a layer that is not there", () => imageAttention(run, { layer: 99 }), /expected a layer in 0 … \d+, got 99/],
    ["a misspelt option", () => imageAttention(run, { layr: 1 } as never), /did you mean "layer"/],
  ])("refuses %s", (_, make, reason) => expect(make).toThrow(reason));
});

it("refuses a run that read no picture", async () => {
  const model = await load((await readOracle("gpt2")).folder);
  const run = await model.run({ inputIds: [[5, 6, 7]] });
  expect(() => imageAttention(run)).toThrow(/read no picture/);
  await model.dispose();
});
