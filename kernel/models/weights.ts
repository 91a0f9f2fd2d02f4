import type { Value } from "../graph/index.js";
import { weight } from "../graph/index.js";
import { formatShape, FormatError, UnsupportedError } from "../tensor/index.js";
import type { Checkpoint } from "./checkpoint.js";
import type { Blueprint } from "./family.js";
import { storageOf } from "./safetensors.js";

function listed(names: readonly string[]): string {
  return `${names.slice(0, 4).join(", ")}${names.length > 4 ? `, … (${names.length} in all)` : ""}`;
}

/**
 * A model's weights as graph values by canonical name; the bytes stay in their files.
 *
 * Throws   FormatError unless the checkpoint holds exactly the tensors that the config asks for, in its shapes
 */
export function bindWeights(blueprint: Blueprint, { tensors, paths }: Checkpoint): ReadonlyMap<string, Value> {
  const place = `${blueprint.family} ${paths[0] ?? ""}`;
  const specs = new Map(blueprint.tensors.map((spec) => [spec.name, spec]));
  const bound = new Map<string, Value>();
  const unused: string[] = [];
  for (const { name, stored, shape, path, offset, sizeBytes, version } of tensors.values()) {
    const canonical = blueprint.canonicalName(name);
    if (canonical === undefined) continue;
    const spec = specs.get(canonical);
    if (!spec) {
      unused.push(name);
      continue;
    }
    if (spec.shape.join() !== shape.join()) {
      throw new FormatError(
        `${place}: tensor "${name}" has shape ${formatShape(shape)}, but config.json asks for ${formatShape(spec.shape)}`,
      );
    }
    const storage = storageOf[stored];
    if (storage !== "float32" && storage !== "float16" && storage !== "bfloat16" && storage !== "float64") {
      throw new UnsupportedError(`${place}: tensor "${name}" is stored as ${stored}; expected F32, F16, BF16 or F64`);
    }
    bound.set(canonical, weight("float32", shape, { name, path, offset, sizeBytes, storage, version }));
  }
  const missing = blueprint.tensors
    .filter(({ name, optional }) => !optional && !bound.has(name))
    .map(({ name }) => name);
  if (missing.length > 0)
    throw new FormatError(`${place}: lacks tensors that config.json asks for: ${listed(missing)}`);
  if (unused.length > 0) {
    throw new FormatError(`${place}: holds tensors that ${blueprint.architecture} does not use: ${listed(unused)}`);
  }
  return bound;
}
