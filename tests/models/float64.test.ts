import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { files } from "../../kernel/lib/host/files.js";
import { load } from "../../kernel/lib/index.js";
import type { Value } from "../../kernel/lib/graph/index.js";
import { build, constant, evaluate, input } from "../../kernel/lib/graph/index.js";
import { openCheckpoint } from "../../kernel/lib/models/checkpoint.js";
import { forward } from "../../kernel/lib/models/forward.js";
import { families } from "../../kernel/lib/models/index.js";
import { readJson } from "../../kernel/lib/models/json.js";
import { preparePair } from "../../kernel/lib/models/pairInput.js";
import { bindWeights } from "../../kernel/lib/models/weights.js";
import { Tensor } from "../../kernel/lib/tensor/index.js";
import { maxDiff, pairInputOf, readOracle, readTensors, shareDiff } from "./oracle.js";

/** The line that every model is held to: float32 against the recording, or its formulas in float64 against it. */
const tolerance = 5e-5;

/** Float32 against float64 of the same formulas, in relation to the largest logit; measured 6.8e-6 at the most (T5 with gates). */
const rounding = 8e-6;

const stacks: Readonly<Record<string, readonly [path: (layer: number) => string, mask: string]>> = {
  encoder: [(layer) => `encoder.blocks.${layer}.attn.z`, "attention_mask"],
  decoder: [(layer) => `decoder.blocks.${layer}.attn.z`, "decoder_attention_mask"],
  cross: [(layer) => `decoder.blocks.${layer}.cross_attn.z`, "decoder_attention_mask"],
};

/** z with one head at its mean over all positions, or over those that a mask [B,Q] holds. */
function atMean(z: Value, head: number, mask: Value): Value {
  const heads = z.shape[1] as number;
  const chosen = constant(
    new Tensor(
      "float32",
      [heads, 1, 1],
      Float32Array.from({ length: heads }, (_, h) => (h === head ? 1 : 0)),
    ),
  );
  const weight = build.unsqueeze(mask, [1, 3]); // [B,1,Q,1]
  const mean = build.div(build.reduceSum(build.mul(z, weight), [0, 2], true), build.reduceSum(weight, [0, 2], true));
  return build.add(build.mul(z, build.sub(1, chosen)), build.mul(mean, chosen));
}

// Where float32 against float32 is over the line, the same formulas in float64 decide.
describe.each(["bart", "marian", "t5", "t5_gated"])("%s with a head at its mean", (name) => {
  it("is where the recording is, in float32 or by its formulas in float64", async () => {
    const oracle = await readOracle(name);
    const config = await readJson(files, join(oracle.folder, "config.json"));
    const [architecture] = config["architectures"] as [string];
    const family = families.find(({ architectures }) => architectures.includes(architecture))!;
    const blueprint = family.open(architecture, config);
    const weights = bindWeights(blueprint, await openCheckpoint(files, oracle.folder));
    const stored = await readTensors(join(oracle.folder, "model.safetensors"));
    const given = pairInputOf(oracle);
    const { batch } = preparePair(given, { ...blueprint, decoder: blueprint.decoder! }, undefined, false);
    const fed = blueprint.feeds(batch);
    const model = await load(oracle.folder);
    let compared = 0;
    for (const { stack = "", layer, head } of oracle.ablated) {
      const [path, maskName] = stacks[stack];
      for (const positions of ["all", "real"] as const) {
        const held = fed[maskName];
        const mask = Float32Array.from(held.numbers(), (real) => (positions === "all" ? 1 : real));
        const { values } = forward(blueprint, weights, (address, value) =>
          address === path(layer)
            ? atMean(value, head, input("seen", "float32", [value.shape[0], value.shape[2]]))
            : value,
        );
        const { logits } = evaluate(
          { logits: values.get("logits")! },
          { ...fed, seen: new Tensor("float32", held.shape, mask) },
          { weights: (source) => stored.get(source.name)!.numbers() },
        );
        const own = await model.run(given, { interventions: [{ stack, layer, head, mode: "mean", positions }] });
        const exact = Float64Array.from(logits.data);
        expect(shareDiff(own.logits.numbers(), exact), `${stack} ${layer}.${head} ${positions}`).toBeLessThan(rounding);
        const key = `${positions === "all" ? "ablate_mean" : "ablate_mean_valid"}.${stack}.${layer}.${head}.logits`;
        const recorded = oracle.tensors.get(key);
        if (!recorded) continue;
        compared++;
        const differences = [own.logits.numbers(), exact].map((numbers) => maxDiff(numbers, recorded.numbers()));
        expect(Math.min(...differences), key).toBeLessThan(tolerance);
      }
    }
    expect(compared).toBeGreaterThan(2);
    await model.dispose();
  });
});
