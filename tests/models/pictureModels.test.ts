import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Model, ModelInput, Run } from "../../kernel/lib/index.js";
import { load } from "../../kernel/lib/index.js";
import { headsLast, legacyFolder, maxAbsDiff, maxDiff, readOracle, rowsOf } from "./oracle.js";
import type { Oracle } from "./oracle.js";

/** Float32 against float32 of another library; the noise of each against float64 is below 1.4e-5. */
const tolerance = 5e-5;

interface Stack {
  readonly name: string;
  readonly layers: number;
}

const cases = ["vit", "dinov2", "dinov2_swiglu", "clip", "siglip", "llava"];

/** `vision_attentions.0`, or `attentions.0` of a model's only stack, or of its language model. */
const recorded = ({ name }: Stack, what: string): string => (name === "" ? what : `${name}_${what}`);
const path = ({ name }: Stack): string => (name === "" ? "" : `${name}.`);

describe.each(cases)("%s agrees with Hugging Face transformers", (name) => {
  let oracle: Oracle;
  let model: Model;
  let run: Run;
  let input: ModelInput;
  let stacks: readonly Stack[];
  let ablated: readonly { readonly stack: string; readonly layer: number; readonly head: number }[];
  let isCausal: boolean;
  let outputs: readonly string[];

  beforeAll(async () => {
    oracle = await readOracle(name);
    const meta = JSON.parse(readFileSync(join(oracle.folder, "meta.json"), "utf8")) as {
      readonly kind: string;
      readonly stacks: readonly Stack[];
      readonly ablated_heads: typeof ablated;
      readonly recipe: { readonly outputs: Readonly<Record<string, string>> };
    };
    ({ stacks, ablated_heads: ablated } = meta);
    isCausal = meta.kind === "causal";
    outputs = Object.keys(meta.recipe.outputs);
    const ids = oracle.tensors.get("input_ids");
    input = {
      pixelValues: oracle.at("pixel_values"),
      ...(ids ? { inputIds: rowsOf(ids), attentionMask: rowsOf(oracle.at("attention_mask")) } : {}),
    };
    model = await load(oracle.folder);
    const capture = stacks.flatMap((stack) =>
      ["resid_pre", "resid_post", "attn.z"].map((part) => `${path(stack)}blocks.*.${part}`),
    );
    run = await model.run(input, { capture: isCausal ? [...capture, "ln_final"] : capture });
  });

  afterAll(() => model.dispose());

  it("in every output", () => {
    expect(outputs.length).toBeGreaterThan(0);
    for (const output of outputs) expect(maxAbsDiff(run.at(output), oracle.at(output)), output).toBeLessThan(tolerance);
  });

  it("in every pattern, hidden state and head output", () => {
    for (const stack of stacks) {
      for (let layer = 0; layer < stack.layers; layer++) {
        const at = (part: string): string => `${path(stack)}blocks.${layer}.${part}`;
        const pattern = oracle.at(recorded(stack, `attentions.${layer}`));
        expect(maxAbsDiff(run.at(at("attn.pattern")), pattern), at("attn.pattern")).toBeLessThan(tolerance);
        const before = oracle.at(recorded(stack, `hidden_states.${layer}`));
        expect(maxAbsDiff(run.at(at("resid_pre")), before), at("resid_pre")).toBeLessThan(tolerance);
        const isLast = isCausal && stack.name === "" && layer === stack.layers - 1;
        const after = oracle.at(isLast ? "resid_final" : recorded(stack, `hidden_states.${layer + 1}`));
        expect(maxAbsDiff(run.at(at("resid_post")), after), at("resid_post")).toBeLessThan(tolerance);
        const z = headsLast(run.at(at("attn.z")));
        expect(maxDiff(z.data, oracle.at(recorded(stack, `z.${layer}`)).numbers()), at("z")).toBeLessThan(tolerance);
      }
    }
  });

  it("exactly the same with the config in its older, shorter syntax", async () => {
    const { folder, remove } = legacyFolder(oracle);
    try {
      const legacy = await load(folder);
      const again = await legacy.run(input);
      for (const output of outputs) expect(maxAbsDiff(again.at(output), run.at(output)), output).toBe(0);
      await legacy.dispose();
    } finally {
      remove();
    }
  });

  it("when heads are ablated to zero or to their mean", async () => {
    expect(ablated.length).toBeGreaterThan(0);
    for (const { stack, layer, head } of ablated) {
      let compared = 0;
      for (const [kind, mode, positions] of [
        ["ablate_zero", "zero", "real"],
        ["ablate_mean", "mean", "all"],
        ["ablate_mean_valid", "mean", "real"],
      ] as const) {
        const prefix = `${kind}.${stack === "" ? "" : `${stack}.`}${layer}.${head}.`;
        const at = `${stack === "" ? "" : `${stack}.`}blocks.${layer}.attn.z`;
        const changed = await model.run(input, { interventions: [{ at, head, mode, positions }] });
        for (const [key, tensor] of oracle.tensors) {
          const output = key.slice(prefix.length);
          if (!key.startsWith(prefix) || output === "value") continue;
          compared++;
          expect(maxAbsDiff(changed.at(output), tensor), key).toBeLessThan(tolerance);
        }
      }
      expect(compared).toBeGreaterThan(1);
    }
  });

  it("in the greedy continuation, where it writes", async () => {
    const recorded = oracle.tensors.get("generated");
    if (!recorded) {
      await expect(model.generate(input, { maxNewTokens: 2 })).rejects.toThrow("does not predict next tokens");
      return;
    }
    const expected = rowsOf(recorded);
    const { ids, patterns } = await model.generate(input, { maxNewTokens: expected[0].length, patterns: true });
    ids.forEach((row, b) => expect(row).toEqual(expected[b].slice(0, row.length)));
    expect(ids.some((row) => row.length === expected[0].length)).toBe(true);
    // The attention of the first new token is that of the last token of a run.
    const [first] = patterns[1];
    const real = rowsOf(oracle.at("attention_mask"))[1].filter((each) => each === 1).length;
    expect(first.shape).toEqual([model.layers, model.heads, real]);
    await expect(model.generate(input, { maxNewTokens: 2, cache: false })).rejects.toThrow("sees its pictures once");
  });

  it("in the loss and its derivatives by patterns and head outputs", async () => {
    const summed = stacks.map((stack) => recorded(stack, "last_hidden_state"));
    const { value, at } = await model.gradients(input, {
      of: isCausal
        ? "loss"
        : (values, g) =>
            summed
              .map((address) => g.reduceSum(g.mul(values.at(address), values.at(address))))
              .reduce((sum, part) => g.add(sum, part)),
      at: stacks.flatMap((stack) => [`${path(stack)}blocks.*.attn.pattern`, `${path(stack)}blocks.*.attn.z`]),
    });
    const loss = oracle.at("loss").item(0);
    expect(Math.abs(value - loss) / loss).toBeLessThan(1e-6);
    const scale = (x: Float64Array): number => x.reduce((max, v) => Math.max(max, Math.abs(v)), 0);
    for (const stack of stacks) {
      for (let layer = 0; layer < stack.layers; layer++) {
        const place = `${path(stack)}blocks.${layer}.attn`;
        const byPattern = oracle.at(`grad.${recorded(stack, `attentions.${layer}`)}`);
        const byZ = oracle.at(`grad.${recorded(stack, `z.${layer}`)}`).numbers();
        const patternError = maxAbsDiff(at(`${place}.pattern`), byPattern) / scale(byPattern.numbers());
        expect(patternError, `${place}.pattern`).toBeLessThan(1e-5);
        expect(maxDiff(headsLast(at(`${place}.z`)).data, byZ) / scale(byZ), `${place}.z`).toBeLessThan(1e-5);
      }
    }
  });
});
