import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GraphEdit, Model } from "../../kernel/lib/index.js";
import { graph, load, random, Tensor } from "../../kernel/lib/index.js";
import { maxAbsDiff, oracles, readOracle, rowsOf } from "./oracle.js";

const pixels = (...shape: number[]): Tensor => random(1).normal(shape);
const folderOf = (name: string): string => join(oracles, "models", name);

describe("a model that reads pictures only", () => {
  let model: Model;
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "vit-"));
    for (const name of readdirSync(folderOf("vit"))) copyFileSync(join(folderOf("vit"), name), join(folder, name));
    const config = { image_processor_type: "ViTImageProcessor", size: { height: 24, width: 24 } };
    writeFileSync(join(folder, "preprocessor_config.json"), JSON.stringify(config));
    model = await load(folder);
  });

  afterAll(async () => {
    await model.dispose();
    rmSync(folder, { recursive: true });
  });

  it("labels patches by row and column, and shows how they lie", async () => {
    const run = await model.run({ pixelValues: pixels(2, 3, 24, 24) });
    expect(run.tokens).toHaveLength(2);
    expect(run.tokens[0].slice(0, 6)).toEqual(["[CLS]", "r0c0", "r0c1", "r0c2", "r0c3", "r1c0"]);
    expect(run.tokens[1].at(-1)).toBe("r3c3");
    const bundle = await run.bundle();
    const payload = bundle["application/vnd.attention-lab.head-grid.v1+json"] as {
      readonly samples: readonly { readonly keyTokens: readonly string[]; readonly patchGrid: unknown }[];
    };
    expect(payload.samples[0].keyTokens).toHaveLength(17);
    expect(payload.samples.map(({ patchGrid }) => patchGrid)).toEqual([
      { rows: 4, columns: 4 },
      { rows: 4, columns: 4 },
    ]);
  });

  it("takes files, bytes and pixels, all with the same result", async () => {
    const path = join(oracles, "pictures", "wide.png");
    const data = new Uint8Array(3 * 24 * 24).map((_, i) => i % 251);
    const [fromFile, fromBytes] = await Promise.all([
      model.run({ images: path }),
      model.run({ images: [new Uint8Array(readFileSync(path))] }),
    ]);
    expect(maxAbsDiff(fromFile.logits, fromBytes.logits)).toBe(0);
    const pixelValues = await model.pixelValues([path, { width: 24, height: 24, data }]);
    expect(pixelValues.shape).toEqual([2, 3, 24, 24]);
    const both = await model.run({ pixelValues });
    expect(maxAbsDiff(both.logits.slice(0), fromFile.logits.slice(0))).toBeLessThan(1e-5);
    // Pixels of the right size are only rescaled: byte 7 is 7 / 255, then (x − ½) / ½.
    expect(pixelValues.slice(1, 1).data[2]).toBeCloseTo((7 / 255 - 0.5) / 0.5, 6);
  });

  it("says what is wrong with its input", async () => {
    const run = async (input: unknown): Promise<unknown> => model.run(input as { pixelValues: Tensor });
    await expect(run("a cat")).rejects.toThrow(
      /^run: ViTForImageClassification reads { pixelValues } or { images }, got string/,
    );
    await expect(run({})).rejects.toThrow(/got no picture$/);
    await expect(run({ inputIds: [[1]] })).rejects.toThrow(/unknown option "inputIds"; known: pixelValues/);
    await expect(run({ pixelValues: [[1]] })).rejects.toThrow(/^run: pixelValues must be a Tensor, got object/);
    await expect(run({ pixelValues: pixels(1, 3, 24, 18) })).rejects.toThrow(
      /must have the shape \[picture,3,24,24\], got \[1,3,24,18\]/,
    );
    await expect(run({ pixelValues: pixels(1, 1, 24, 24) })).rejects.toThrow(/got \[1,1,24,24\]/);
    await expect(run({ pixelValues: pixels(3, 24, 24) })).rejects.toThrow(/got \[3,24,24\]/);
    const whole = new Tensor("float64", [1, 3, 24, 24], new Float64Array(3 * 24 * 24));
    await expect(run({ pixelValues: whole })).rejects.toThrow(/must be float32, got float64/);
    await expect(run({ images: "no-such.png" })).rejects.toThrow(/^pictures: picture 0: no file .*no-such\.png$/);
    await expect(run({ images: [] })).rejects.toThrow(/at least one picture/);
    await expect(run({ images: "x.png", pixelValues: pixels(1, 3, 24, 24) })).rejects.toThrow(/got both/);
    await expect(run({ images: new Uint8Array(9) })).rejects.toThrow(/^pictures: picture 0: expected a PNG or JPEG/);
  });

  it("says so where no file tells how pictures become pixel values, or a model reads none", async () => {
    const bare = await load(folderOf("vit"));
    await expect(bare.run({ images: "cat.png" })).rejects.toThrow(/^pixelValues: vit has no preprocessor_config\.json/);
    await bare.dispose();
    const bert = await load(folderOf("bert_model"));
    await expect(bert.pixelValues("cat.png")).rejects.toThrow("pixelValues: BertModel reads no pictures");
    await expect(bert.run({ inputIds: [[1]], pixelValues: pixels(1, 3, 24, 24) })).rejects.toThrow(
      /unknown option "pixelValues"/,
    );
    await bert.dispose();
  });
});

describe("a model of pictures of every size", () => {
  let model: Model;
  beforeAll(async () => void (model = await load(folderOf("dinov2"))));
  afterAll(() => model.dispose());

  it("takes other sizes, and leaves out pixels beyond the last whole patch", async () => {
    const whole = pixels(1, 3, 10, 15);
    const wider = new Float32Array(3 * 10 * 17);
    for (let row = 0; row < 30; row++) wider.set(whole.data.slice(row * 15, (row + 1) * 15) as Float32Array, row * 17);
    const run = await model.run({ pixelValues: whole });
    expect(run.tokens[0]).toEqual(["[CLS]", "r0c0", "r0c1", "r0c2", "r1c0", "r1c1", "r1c2"]);
    const cropped = await model.run({ pixelValues: new Tensor("float32", [1, 3, 10, 17], wider) });
    expect(maxAbsDiff(cropped.logits, run.logits)).toBe(0);
  });

  it("refuses pictures smaller than a patch", async () => {
    await expect(model.run({ pixelValues: pixels(1, 3, 4, 15) })).rejects.toThrow(
      /\[picture,3,height,width\] with at least 5 × 5 pixels, got \[1,3,4,15\]/,
    );
  });
});

describe("models that read pictures and text", () => {
  const ids = (...counts: number[]): number[][] => counts.map((n) => [5, ...new Array<number>(n).fill(100), 6]);
  let llava: Model;
  let clip: Model;
  beforeAll(async () => {
    [llava, clip] = await Promise.all([load(folderOf("llava")), load(folderOf("clip"))]);
  });
  afterAll(async () => {
    await llava.dispose();
    await clip.dispose();
  });

  it("need a picture for the image tokens", async () => {
    await expect(llava.run({ inputIds: ids(16) })).rejects.toThrow(/got no picture for the image tokens \(id 100\)/);
  });

  it("need as many image tokens as there are features", async () => {
    const pixelValues = pixels(2, 3, 20, 20);
    await expect(llava.run({ inputIds: ids(16, 12), pixelValues })).rejects.toThrow(
      /one image token \(id 100\) per patch; expected 32 of them for 2 pictures, got 28/,
    );
    const run = await llava.run({ inputIds: ids(32), pixelValues });
    expect(run.logits.shape).toEqual([1, 34, 101]);
    expect(run.pictureTokens).toHaveLength(2);
  });

  it("put the features in their places: without the tower's heads only what follows the picture changes", async () => {
    const input = { inputIds: ids(16), pixelValues: pixels(1, 3, 20, 20) };
    const whole = await llava.run(input);
    const blind = await llava.run(input, {
      interventions: [{ stack: "vision", layer: 1, head: 0, mode: "zero" }],
    });
    const difference = (t: number): number => maxAbsDiff(blind.logits.slice(0, t), whole.logits.slice(0, t));
    expect(difference(0)).toBe(0);
    expect(difference(1)).toBeGreaterThan(1e-3);
    expect(difference(17)).toBeGreaterThan(1e-3);
  });

  it("need both, and say which is missing", async () => {
    await expect(clip.run({ inputIds: [[1, 2]] })).rejects.toThrow(
      /CLIPModel reads text or { inputIds }, and .* no picture/,
    );
    await expect(clip.run({ pixelValues: pixels(1, 3, 20, 20) })).rejects.toThrow(/either text or inputIds, got none/);
    await expect(clip.run({ text: "a cat", pixelValues: pixels(1, 3, 20, 20) })).rejects.toThrow(/has no tokenizer/);
  });

  it("take as many pictures as one likes, whatever the number of texts", async () => {
    const run = await clip.run({
      inputIds: [
        [1, 2, 96],
        [3, 96],
        [4, 5, 96],
      ],
      pixelValues: pixels(2, 3, 20, 20),
    });
    expect(run.at("logits_per_image").shape).toEqual([2, 3]);
    const bundle = await run.bundle();
    const { stacks } = bundle["application/vnd.attention-lab.head-grids.v1+json"] as {
      readonly stacks: readonly { readonly name: string; readonly grid: { readonly samples: readonly unknown[] } }[];
    };
    expect(stacks.map(({ name, grid }) => [name, grid.samples.length])).toEqual([
      ["text", 3],
      ["vision", 2],
    ]);
  });
});

it.each(["vit", "dinov2", "dinov2_swiglu", "clip", "siglip", "llava"])(
  "every activation of %s can be read and changed",
  async (name) => {
    const oracle = await readOracle(name);
    const ids = oracle.tensors.get("input_ids");
    const input = { pixelValues: oracle.at("pixel_values"), ...(ids ? { inputIds: rowsOf(ids) } : {}) };
    const model = await load(oracle.folder);
    const untouched = await model.run(input, { patterns: false });
    const outputs = untouched.addresses;
    const differs = async (edit: GraphEdit): Promise<boolean> => {
      const changed = await model.run(input, { patterns: false, interventions: [edit] });
      return outputs.some((output) => maxAbsDiff(changed.at(output), untouched.at(output)) > 0);
    };
    const inside = model.addresses.filter((address) => !outputs.includes(address));
    expect(await differs({ name: "identity", at: inside, edit: (x) => graph.build.mul(x, 1) })).toBe(false);
    const first = inside.filter((address) => !/blocks\.[12]\./.test(address));
    expect(first.length).toBeGreaterThan(12);
    for (const at of first) {
      expect(await differs({ name: "scaled", at: [at], edit: (x) => graph.build.mul(x, 1.5) }), at).toBe(true);
    }
    await model.dispose();
  },
);
