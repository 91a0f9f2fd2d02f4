import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { decodePicture } from "../../kernel/lib/host/pictures.js";
import type { Tensor } from "../../kernel/lib/index.js";
import { asRgb } from "../../kernel/lib/models/pictures/picture.js";
import { openPreprocessor } from "../../kernel/lib/models/pictures/preprocess.js";
import { resample } from "../../kernel/lib/models/pictures/resample.js";
import { oracles, readTensors } from "./oracle.js";

const folder = join(oracles, "pictures");
const rgb = (name: string): ReturnType<typeof asRgb> =>
  asRgb(name, decodePicture(name, readFileSync(join(folder, name))));

interface Recorded {
  readonly files: Readonly<Record<string, readonly [number, number]>>;
  readonly cases: readonly {
    readonly name: string;
    readonly config: Record<string, unknown>;
    readonly legacy?: Record<string, unknown>;
  }[];
}
const { files, cases } = JSON.parse(readFileSync(join(folder, "reference.json"), "utf8")) as Recorded;

let tensors: ReadonlyMap<string, Tensor>;
beforeAll(async () => {
  tensors = await readTensors(join(folder, "reference.safetensors"));
});

function differences(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  if (a.length !== b.length) throw new Error(`lengths differ: ${a.length} and ${b.length}`);
  return Array.from(a, (x, i) => Math.abs(x - b[i]));
}

describe("pictures are decoded", () => {
  it.each(Object.keys(files).filter((name) => name.endsWith(".png")))("%s exactly as Pillow does", (name) => {
    const { width, height, data } = rgb(name);
    expect([width, height]).toEqual(files[name]);
    expect(Math.max(...differences(data, tensors.get(`decoded.${name}`)!.numbers()))).toBe(0);
  });

  // The inverse transform of JPEG is not fixed to the last bit, nor how halved colours are spread out.
  it.each([
    ["full.jpg", 4, 1],
    ["grey.jpg", 4, 1],
    ["half.jpg", 255, 12],
  ])("%s nearly as Pillow does", (name, most, mean) => {
    const { width, height, data } = rgb(name);
    expect([width, height]).toEqual(files[name]);
    const all = differences(data, tensors.get(`decoded.${name}`)!.numbers());
    expect(Math.max(...all)).toBeLessThanOrEqual(most);
    expect(all.reduce((sum, x) => sum + x, 0) / all.length).toBeLessThan(mean);
  });

  it("or refused with a reason", () => {
    const png = readFileSync(join(folder, "plain.png"));
    expect(() => decodePicture("a.gif", new TextEncoder().encode("GIF89a…"))).toThrow(
      /^a\.gif: expected a PNG or JPEG picture, got 9 bytes/,
    );
    for (const cut of [8, 30, 200, png.length - 20]) {
      expect(() => decodePicture("cut.png", png.subarray(0, cut)), `${cut} bytes`).toThrow(/^cut\.png: /);
    }
    const flipped = Uint8Array.from(png);
    flipped[120] ^= 1;
    expect(() => decodePicture("flipped.png", flipped)).toThrow(/^flipped\.png: broken picture/);
    const huge = Uint8Array.from(png);
    huge[16] = 0x7f;
    expect(() => decodePicture("huge.png", huge)).toThrow(/^huge\.png: expected at most 16384 pixels a side/);
    const jpeg = readFileSync(join(folder, "full.jpg"));
    expect(() => decodePicture("cut.jpg", jpeg.subarray(0, 300))).toThrow(/^cut\.jpg: broken picture/);
  });
});

it("resized pictures have Pillow's bytes, with every filter", () => {
  const wide = rgb("wide.png");
  let compared = 0;
  for (const filter of ["lanczos", "bilinear", "bicubic"] as const) {
    for (const [name, { shape }] of tensors) {
      if (!name.startsWith(`resized.${filter}.`)) continue;
      const { data } = resample(wide, shape[1], shape[0], filter);
      expect(Math.max(...differences(data, tensors.get(name)!.numbers())), name).toBe(0);
      compared++;
    }
  }
  expect(compared).toBe(12);
});

describe("preprocessor_config.json", () => {
  it.each(cases)("of $name gives the pixel values of transformers, bit by bit", ({ name, config, legacy }) => {
    const pictures = [rgb("wide.png"), rgb("tall.png")];
    for (const json of legacy ? [config, legacy] : [config]) {
      const { shape, data } = openPreprocessor(json).pixelValues(pictures);
      const expected = tensors.get(`pixels.${name}`)!;
      expect(shape).toEqual(expected.shape);
      expect(Math.max(...differences(data as Float32Array, expected.data as Float32Array))).toBe(0);
    }
  });

  it("is refused where it is not followed exactly", () => {
    expect(() => openPreprocessor({ image_processor_type: "ViTImageProcesor" })).toThrow(
      /unknown image_processor_type "ViTImageProcesor"; did you mean "ViTImageProcessor"\?/,
    );
    const open = (json: Record<string, unknown>) => () =>
      openPreprocessor({ image_processor_type: "CLIPImageProcessor", ...json });
    expect(open({ do_pad: true })).toThrow(/pictures: config attribute "do_pad" = true is not handled/);
    expect(open({ resample: 0 })).toThrow(/"resample" = 0 is not handled; expected 1 \(Lanczos\)/);
    expect(open({ size: { longest_edge: 9 } })).toThrow(/size = {"longest_edge":9} is not handled/);
    expect(open({ crop_size: { shortest_edge: 9 } })).toThrow(/crop_size = {"shortest_edge":9} is not handled/);
    expect(open({ do_sharpen: true })).toThrow(/"do_sharpen" = true is not handled/);
  });

  it("that keeps sizes needs pictures of one size", () => {
    const { pixelValues } = openPreprocessor({ image_processor_type: "SiglipImageProcessor", do_resize: false });
    expect(() => pixelValues([rgb("wide.png"), rgb("tall.png")])).toThrow(
      "pictures: picture 1 becomes 17 × 26 pixels, the first 43 × 29; run them one by one",
    );
  });
});

it("pixels given by hand are checked", () => {
  expect(() => asRgb("run", { width: 2, height: 2, data: new Uint8Array(11) })).toThrow(
    "run: data of 2 × 2 pixels must have 12 or 16 bytes, got 11",
  );
  expect(() => asRgb("run", { width: 0, height: 2, data: new Uint8Array(0) })).toThrow(/width must be a whole number/);
  expect(() => asRgb("run", 7)).toThrow(/expected a path, the bytes of a PNG or JPEG file, or/);
});
