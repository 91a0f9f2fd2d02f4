import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, Run } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import { decoders, encoders, headsLast, inputOf, legacyFolder, maxAbsDiff, maxDiff, readOracle } from "./oracle.js";
import type { Oracle } from "./oracle.js";

/** Float32 against float32 of another library; the noise of each against float64 is below 1.4e-5. */
const tolerance = 5e-5;

describe.each([...encoders, ...decoders])("%s agrees with Hugging Face transformers", (name) => {
  const isDecoder = decoders.includes(name);
  let oracle: Oracle;
  let model: Model;
  let run: Run;
  /** Whether the last hidden state comes after a last norm. */
  const isNormedLast = (): boolean => oracle.tensors.has("resid_final");

  beforeAll(async () => {
    oracle = await readOracle(name);
    model = await load(oracle.folder);
    run = await model.run(inputOf(oracle), {
      capture: [
        "blocks.*.resid_pre",
        "blocks.*.resid_post",
        "blocks.*.attn.z",
        ...(isNormedLast() ? ["ln_final"] : []),
      ],
    });
  });

  afterAll(() => model.dispose());

  const outputsIn = (prefix = ""): string[] =>
    ["logits", "last_hidden_state", "pooler_output"].filter((output) => oracle.tensors.has(prefix + output));

  it("in every output of a padded batch", () => {
    expect(outputsIn().length).toBeGreaterThan(0);
    for (const output of outputsIn())
      expect(maxAbsDiff(run.at(output), oracle.at(output)), output).toBeLessThan(tolerance);
  });

  it("in every pattern", () => {
    for (let layer = 0; layer < model.layers; layer++) {
      const pattern = run.at(`blocks.${layer}.attn.pattern`);
      expect(maxAbsDiff(pattern, oracle.at(`attentions.${layer}`)), `layer ${layer}`).toBeLessThan(tolerance);
    }
  });

  it("in every hidden state and head output", () => {
    for (let layer = 0; layer < model.layers; layer++) {
      const [before, after] = [run.at(`blocks.${layer}.resid_pre`), run.at(`blocks.${layer}.resid_post`)];
      expect(maxAbsDiff(before, oracle.at(`hidden_states.${layer}`))).toBeLessThan(tolerance);
      const isLast = isNormedLast() && layer === model.layers - 1;
      expect(maxAbsDiff(after, oracle.at(isLast ? "resid_final" : `hidden_states.${layer + 1}`))).toBeLessThan(
        tolerance,
      );
      if (isLast)
        expect(maxAbsDiff(run.at("ln_final"), oracle.at(`hidden_states.${model.layers}`))).toBeLessThan(tolerance);
      const z = headsLast(run.at(`blocks.${layer}.attn.z`));
      expect(maxDiff(z.data, oracle.at(`z.${layer}`).numbers())).toBeLessThan(tolerance);
    }
  });

  it("exactly the same with the config in its older, shorter syntax", async () => {
    const { folder, remove } = legacyFolder(oracle);
    try {
      const legacy = await load(folder);
      const again = await legacy.run(inputOf(oracle));
      for (const output of outputsIn()) expect(maxAbsDiff(again.at(output), run.at(output)), output).toBe(0);
      await legacy.dispose();
    } finally {
      remove();
    }
  });

  it("when heads are ablated to zero or to their mean", async () => {
    expect(oracle.ablated.length).toBeGreaterThan(0);
    for (const { layer, head } of oracle.ablated) {
      let compared = 0;
      for (const [kind, mode, positions] of [
        ["ablate_zero", "zero", "real"],
        ["ablate_mean", "mean", "all"],
        ["ablate_mean_valid", "mean", "real"],
      ] as const) {
        const prefix = `${kind}.${layer}.${head}.`;
        const at = `blocks.${layer}.attn.z`;
        const ablated = await model.run(inputOf(oracle), { interventions: [{ at, head, mode, positions }] });
        compared += outputsIn(prefix).length;
        for (const output of outputsIn(prefix)) {
          expect(maxAbsDiff(ablated.at(output), oracle.at(prefix + output)), prefix + output).toBeLessThan(tolerance);
        }
      }
      expect(compared).toBeGreaterThan(1);
    }
  });

  it("in the loss and its derivatives by patterns and head outputs", async () => {
    const { value, at } = await model.gradients(inputOf(oracle), {
      of: isDecoder
        ? "loss"
        : (values, g) => g.reduceSum(g.mul(values.at("last_hidden_state"), values.at("last_hidden_state"))),
      at: ["blocks.*.attn.pattern", "blocks.*.attn.z"],
    });
    const loss = oracle.at("loss").item(0);
    expect(Math.abs(value - loss) / loss).toBeLessThan(1e-6);
    for (let layer = 0; layer < model.layers; layer++) {
      const byPattern = oracle.at(`grad.attentions.${layer}`);
      const byZ = oracle.at(`grad.z.${layer}`).numbers();
      const scale = (x: Float64Array): number => x.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
      const patternError = maxAbsDiff(at(`blocks.${layer}.attn.pattern`), byPattern) / scale(byPattern.numbers());
      expect(patternError, `pattern of layer ${layer}`).toBeLessThan(1e-5);
      expect(
        maxDiff(headsLast(at(`blocks.${layer}.attn.z`)).data, byZ) / scale(byZ),
        `z of layer ${layer}`,
      ).toBeLessThan(1e-5);
    }
  });
});
