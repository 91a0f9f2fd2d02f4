import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Intervention, Model, Run } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import {
  headsLast,
  legacyFolder,
  maxAbsDiff,
  maxDiff,
  pairInputOf,
  pairs,
  readOracle,
  rowsOf,
  shareDiff,
} from "./oracle.js";
import type { Oracle } from "./oracle.js";

/** Float32 against float32 of another library; the noise of each against float64 is below 2.5e-5. */
const tolerance = 5e-5;

/** Derivatives in relation to their largest; those recorded are themselves up to 1e-5 away from float64. */
const gradientShare = 3e-5;

/** Names in the oracle and addresses here, by stack. */
const stacks: Readonly<Record<string, (layer: number) => string>> = {
  encoder: (layer) => `encoder.blocks.${layer}.attn`,
  decoder: (layer) => `decoder.blocks.${layer}.attn`,
  cross: (layer) => `decoder.blocks.${layer}.cross_attn`,
};

describe.each(pairs)("%s agrees with Hugging Face transformers", (name) => {
  let oracle: Oracle;
  let model: Model;
  let run: Run;

  /** Every attention: its stack, its layer and its address. */
  const attentions = (): (readonly [stack: string, layer: number, path: string])[] =>
    Object.entries(stacks).flatMap(([stack, path]) => {
      const layers = [...oracle.tensors.keys()].filter((key) => key.startsWith(`${stack}_attentions.`)).length;
      return Array.from({ length: layers }, (_, layer) => [stack, layer, path(layer)] as const);
    });

  beforeAll(async () => {
    oracle = await readOracle(name);
    model = await load(oracle.folder);
    const kept = /\.(resid_pre|resid_post|attn\.z|cross_attn\.z|ln_final)$/;
    run = await model.run(pairInputOf(oracle), { capture: model.addresses.filter((address) => kept.test(address)) });
  });

  afterAll(() => model.dispose());

  it("in every output of a padded batch", () => {
    for (const output of ["logits", "encoder_last_hidden_state"])
      expect(maxAbsDiff(run.at(output), oracle.at(output)), output).toBeLessThan(tolerance);
  });

  it("in every pattern and head output of encoder, decoder and across", () => {
    expect(new Set(attentions().map(([stack]) => stack)).size).toBe(3);
    for (const [stack, layer, path] of attentions()) {
      const pattern = oracle.at(`${stack}_attentions.${layer}`);
      expect(maxAbsDiff(run.at(`${path}.pattern`), pattern), path).toBeLessThan(tolerance);
      const z = oracle.at(`${stack}_z.${layer}`).numbers();
      expect(maxDiff(headsLast(run.at(`${path}.z`)).data, z), path).toBeLessThan(tolerance);
    }
  });

  it("in every hidden state", () => {
    for (const side of ["encoder", "decoder"]) {
      const layers = attentions().filter(([stack]) => stack === side).length;
      for (let layer = 0; layer < layers; layer++) {
        const before = run.at(`${side}.blocks.${layer}.resid_pre`);
        expect(maxAbsDiff(before, oracle.at(`${side}_hidden_states.${layer}`))).toBeLessThan(tolerance);
      }
      // The last hidden state comes after the last norm, where there is one.
      const final = `${side}.ln_final`;
      const last = run.at(model.addresses.includes(final) ? final : `${side}.blocks.${layers - 1}.resid_post`);
      expect(maxAbsDiff(last, oracle.at(`${side}_hidden_states.${layers}`))).toBeLessThan(tolerance);
    }
  });

  it("exactly the same with the config in its older, shorter syntax", async () => {
    const { folder, remove } = legacyFolder(oracle);
    try {
      const legacy = await load(folder);
      expect(maxAbsDiff((await legacy.run(pairInputOf(oracle))).logits, run.logits)).toBe(0);
      await legacy.dispose();
    } finally {
      remove();
    }
  });

  it("when heads of any stack are ablated to zero or to their mean", async () => {
    expect(new Set(oracle.ablated.map(({ stack }) => stack)).size).toBe(3);
    let compared = 0;
    for (const { stack = "", layer, head } of oracle.ablated) {
      for (const [kind, mode, positions] of [
        ["ablate_zero", "zero", "real"],
        ["ablate_mean", "mean", "all"],
        ["ablate_mean_valid", "mean", "real"],
      ] as const) {
        const expected = oracle.tensors.get(`${kind}.${stack}.${layer}.${head}.logits`);
        if (!expected) continue;
        compared++;
        const named: Intervention = { stack, layer, head, mode, positions };
        const addressed: Intervention = { at: `${stacks[stack](layer)}.z`, head, mode, positions };
        const ablated = await model.run(pairInputOf(oracle), { interventions: [named] });
        expect(maxAbsDiff(ablated.logits, expected), `${kind} ${stack} ${layer}.${head}`).toBeLessThan(tolerance);
        const again = await model.run(pairInputOf(oracle), { interventions: [addressed] });
        expect(maxAbsDiff(again.logits, ablated.logits)).toBe(0);
      }
    }
    expect(compared).toBeGreaterThanOrEqual(6);
  });

  it("in the greedy continuation and what its tokens were chosen from", async () => {
    const { decoderInputIds: _, labels: __, ...read } = pairInputOf(oracle);
    const expected = rowsOf(oracle.at("generated"));
    const written = await model.generate(read, { maxNewTokens: expected[0].length });
    const chosenFrom = oracle.at("generated.logits");
    written.ids.forEach((ids, b) => {
      // A text that ended by itself stops there; the recording goes on.
      expect(ids).toEqual(expected[b].slice(0, ids.length));
      const own = chosenFrom.slice(b).numbers().subarray(0, written.logits[b].data.length);
      expect(maxDiff(written.logits[b].numbers(), own), `row ${b}`).toBeLessThan(tolerance);
    });
    expect(written.ids.some((ids) => ids.length === expected[0].length)).toBe(true);
  });

  it("in the loss and its derivatives by patterns and head outputs", async () => {
    const paths = attentions().map(([, , path]) => path);
    const { value, at } = await model.gradients(pairInputOf(oracle), {
      of: "loss",
      at: paths.flatMap((path) => [`${path}.pattern`, `${path}.z`]),
    });
    const loss = oracle.at("loss").item(0);
    expect(Math.abs(value - loss) / loss).toBeLessThan(2e-6);
    expect(Math.abs(run.loss! - loss) / loss).toBeLessThan(2e-6);
    for (const [stack, layer, path] of attentions()) {
      const byPattern = oracle.at(`grad.${stack}_attentions.${layer}`).numbers();
      expect(shareDiff(at(`${path}.pattern`).numbers(), byPattern), `pattern ${path}`).toBeLessThan(gradientShare);
      const byZ = oracle.at(`grad.${stack}_z.${layer}`).numbers();
      expect(shareDiff(headsLast(at(`${path}.z`)).data, byZ), `z ${path}`).toBeLessThan(gradientShare);
    }
  });
});
