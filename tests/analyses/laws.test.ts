// What holds for every analysis, whatever it measures; a new one without a record here fails.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import * as analyses from "../../kernel/lib/analyses/index.js";
import { readOracle } from "../models/oracle.js";
import { effectLaws } from "./laws/effects.js";
import { headLaws } from "./laws/heads.js";
import { snapshot, two, type Models } from "./laws/law.js";
import { pictureLaws } from "./laws/pictures.js";
import { sinkLaws } from "./laws/sinks.js";
import { headDim, plantDrained, plantedModel, plantEven, plantImage, width, type Plant } from "./plantedModel.js";

const laws = { ...headLaws, ...effectLaws, ...sinkLaws, ...pictureLaws };

/** What is exported beside analyses: metrics, a question about a run, and pictures of what others found. */
const others = [
  "isOffered",
  "logitDifference",
  "promptLoss",
  "attributionGraph",
  "audioAttention",
  "imageAttention",
  "scatter",
  "tokenStrip",
];

const display = Symbol.for("Jupyter.display");

/** Head 2 of layer 1 writes; no other head does, nor any MLP. */
const plantOneHead: Plant = (name, data) => {
  if (/mlp\.c_proj/.test(name) || /attn\.c_proj\.bias$/.test(name)) data.fill(0);
  if (!/attn\.c_proj\.weight$/.test(name)) return;
  const own = /h\.1\./.test(name) ? data.slice(2 * headDim * width, 3 * headDim * width) : [];
  data.fill(0);
  data.set(own, 2 * headDim * width);
};

const plantResting: Plant = (name, data) => {
  plantDrained(name, data);
  if (/ln_f\.weight$/.test(name)) data.fill(0);
};

const plantAligned: Plant = (name, data) => {
  if (/h\.0\.attn\.c_proj\.weight$/.test(name)) {
    data.fill(0, 0, headDim * width);
    for (let r = headDim; r < 2 * headDim; r++) for (let c = 0; c < width; c++) if (c !== 3) data[r * width + c] = 0;
  }
  if (/h\.1\.attn\.c_attn\.weight$/.test(name)) {
    for (let r = 0; r < width; r++)
      for (let d = 2 * headDim; d < 3 * headDim; d++) {
        if (r !== 3) data[r * 3 * width + d] = 0;
        if (r !== 4) data[r * 3 * width + 2 * width + d] = 0;
      }
  }
};

let models: Models;
let clean: unknown;
const remove: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const open = async (plant: Plant) => {
    const { model, ...rest } = await plantedModel(plant);
    remove.push(rest.remove);
    return model;
  };
  models = {
    plain: await load((await readOracle("gpt2")).folder),
    oneHead: await open(plantOneHead),
    resting: await open(plantResting),
    even: await open(plantEven),
    image: await open(plantImage(4)),
    aligned: await open(plantAligned),
  };
  clean = await runs();
});
afterAll(async () => {
  await models.plain.dispose();
  await Promise.all(remove.map(async (each) => each()));
});

/** What the models say now. */
async function runs(): Promise<unknown> {
  const found: unknown[] = [];
  for (const model of Object.values<Model>({ ...models })) found.push(snapshot((await model.run(two)).logits));
  return found;
}

it("every analysis has a record", () => {
  const exported = Object.keys(analyses).filter((name) => /^[a-z]/.test(name));
  expect([...Object.keys(laws), ...others].sort()).toEqual(exported.sort());
});

describe.each(Object.entries(laws))("%s", (name, { list, open, planted, control }) => {
  it("finds what is planted, exactly", async () => {
    const { found, truth, within = 0 } = await planted(models);
    expect(found).toHaveLength(truth.length);
    expect(truth.some((x) => x !== 0)).toBe(true);
    found.forEach(
      (x, i) =>
      expect(Math.abs(x - truth[i]), `${i}: ${x}, ${truth[i]}`).toBeLessThanOrEqual(within * Math.max(1, Math.abs(truth[i]))), // prettier-ignore
    );
  });

  it("finds nothing where nothing is", async () => {
    const found = await control(models);
    expect(found.length).toBeGreaterThan(0);
    expect(found.map(Math.abs)).toEqual(found.map(() => 0));
  });

  it("changes nothing it is given, and says the same again", async () => {
    const { watched, once } = await open(models);
    const before = watched();
    const [first, second] = [await once(), await once()];
    expect(watched()).toEqual(before);
    expect(first.numbers.some((x) => Number.isFinite(x) && x !== 0)).toBe(true);
    expect(snapshot(second.result)).toEqual(snapshot(first.result));
  });

  if (typeof list !== "string") return;
  it("of a list is what it is of each", async () => {
    const { once, split } = await open(models);
    const [{ numbers }, parts] = [await once(), await split()];
    expect(parts.length).toBeGreaterThan(1);
    const expected =
      list === "each"
        ? parts.flat()
        : numbers.map((_, i) => parts.reduce((sum, part) => sum + part[i], 0) / parts.length);
    expect(numbers).toHaveLength(expected.length);
    numbers.forEach((x, i) => {
      if (Number.isNaN(x) && Number.isNaN(expected[i])) return;
      expect(Math.abs(x - expected[i]), `${name} ${i}`).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(x)));
    });
  });
});

it("a figure of each says where its numbers come from", async () => {
  const drawn: string[] = [];
  for (const [name, { open }] of Object.entries(laws)) {
    const { result } = await (await open(models)).once();
    const show = (result as { [display]?: () => unknown } | undefined)?.[display];
    const bundle = Object.entries(((await show?.call(result)) ?? {}) as Record<string, { provenance: object }>);
    for (const [mime, payload] of bundle.filter(([each]) => each.startsWith("application/vnd.attention-lab."))) {
      drawn.push(name);
      expect(payload.provenance, `${name}: ${mime}`).toMatchObject({ device: "cpu", dtype: "float32" });
    }
  }
  expect(drawn.sort()).toEqual([
    ...["ablate", "activationPatching", "attentionGradients", "compareHeads", "headDistances", "headImportance"],
    ...["headRoles", "maskAttention", "pathPatching", "retrievalHeads", "sinks"],
  ]);
});

it("and all models are as they were", async () => {
  expect(await runs()).toEqual(clean);
});
