import type { SymbolicShape, Value } from "../graph/index.js";
import { build, input } from "../graph/index.js";
import type { Address } from "./addresses.js";
import type { Blueprint } from "./family.js";
import type { Edit } from "./forward.js";
import { forward } from "./forward.js";
import { patternNames } from "./reader.js";

/** Graph inputs that tell something of each key, earlier ones included; all others tell something of each query. */
export const keyInputs: readonly string[] = ["attention_mask", "key_index", "key_positions"];

/** Where a model that sees keeps the features that it puts in place of image tokens. */
export const featuresName = "image_features";

/** Names of the tensors that one step takes and gives, per layer. */
export const stateNames = {
  past: (part: "keys" | "values", layer: number): string => `past_${part}.${layer}`,
  fresh: (part: "keys" | "values", layer: number): string => `fresh_${part}.${layer}`,
};

/**
 * The graph of one step of writing: it reads new tokens only, and of those before them their keys and values. Its outputs
 * are the logits at the last new token of each row, the new tokens' keys and values, and every pattern.
 *
 * Shapes   past_keys, past_values [B,G,P,D] · attention_mask, key_index, key_positions [B,P+Q], the earlier ones first ·
 *          last [B], the index of each row's last new token · others [B,Q] → logits [B,1,V] · fresh_keys, fresh_values
 *          [B,G,Q,D] · patterns [B,H,Q,P+Q]
 */
export function continuation(
  blueprint: Blueprint,
  weights: ReadonlyMap<string, Value>,
): Readonly<Record<Address, Value>> {
  const { heads, kvHeads = heads, headDim } = blueprint;
  const fresh: Record<string, Value> = {};
  const last = build.unsqueeze(input("last", "int32", ["batch"]), [1]);
  const joined = (part: "keys" | "values", layer: number, own: Value): Value => {
    fresh[stateNames.fresh(part, layer)] = own;
    const earlier = input(stateNames.past(part, layer), "float32", ["batch", kvHeads, "past", headDim]);
    return build.concat([earlier, own], 2);
  };
  const shapeOf = (name: string): SymbolicShape => ["batch", keyInputs.includes(name) ? "(past+query)" : "query"];
  // What was seen is read once, and given to every step.
  const given: Edit = (address, value) =>
    address === featuresName ? input(featuresName, "float32", ["features", value.shape[1]]) : value;
  const { values } = forward(blueprint, weights, given, {
    shapeOf,
    past: {
      join: (layer, keys, own) => [joined("keys", layer, keys), joined("values", layer, own)],
      last: (x) => {
        const isLast = build.equal(input("token_index", "int32", shapeOf("token_index")), last); // [B,Q]
        return build.reduceSum(build.where(build.unsqueeze(isLast, [2]), x, 0), [1], true);
      },
    },
  });
  const seen = ["logits", ...patternNames(blueprint)].map((name) => [name, values.get(name)!] as const);
  return { ...Object.fromEntries(seen), ...fresh };
}
