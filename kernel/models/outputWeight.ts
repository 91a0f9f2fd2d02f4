import type { Value } from "../graph/index.js";
import { UnsupportedError } from "../tensor/index.js";
import type { Site } from "./site.js";

/**
 * The weight that a layer's head outputs are multiplied with, before any bias or norm: rows h·D … (h+1)·D−1 are W_O of head h.
 *
 * Shapes   [H·D, M]
 * Throws   UnsupportedError where the graph between `attn.z` and `attn_out` is anything but one product
 */
export function outputWeight({ clean, model }: Site, layer: number): Value {
  const z = clean(`blocks.${layer}.attn.z`);
  const path = pathTo(z, clean(`blocks.${layer}.attn_out`));
  const products = path.filter((value, i) => value.op === "MatMul" && value.inputs[0] === path[i + 1]);
  const [rows] = products[0]?.inputs[1].shape ?? [];
  if (products.length !== 1 || rows !== model.heads * model.headDim) {
    throw new UnsupportedError(
      `${model.family}: layer ${layer} has no output projection that heads can be told apart in`,
    );
  }
  return products[0].inputs[1];
}

/** The values from `from` down to `target`, first and last included; empty where there is no way. */
function pathTo(target: Value, from: Value): readonly Value[] {
  const dead = new Set<Value>();
  const path: Value[] = [];
  const visit = (value: Value): boolean => {
    if (dead.has(value)) return false;
    path.push(value);
    if (value === target || value.inputs.some(visit)) return true;
    path.pop();
    dead.add(value);
    return false;
  };
  visit(from);
  return path;
}
