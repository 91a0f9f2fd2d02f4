import type { SymbolicShape, Value } from "../graph/index.js";
import { build, input } from "../graph/index.js";
import { EngineError } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import type { Blueprint, Past } from "./family.js";

/** A model's graph with every addressed value at hand. */
export interface Forward {
  /** By address, outputs included. */
  readonly values: ReadonlyMap<Address, Value>;
  readonly outputs: readonly string[];
}

/** Changes a value as it gets its address. */
export type Edit = (address: Address, value: Value) => Value;

/** A graph that continues texts. */
export interface Continued {
  readonly past: Past;
  /** Shape of an input. */
  readonly shapeOf: (name: string) => SymbolicShape;
}

/**
 * Writes a model's graph.
 *
 * Shapes   inputs [batch, query] int32, unless the blueprint says otherwise or the graph continues texts
 */
export function forward(
  blueprint: Pick<Blueprint, "family" | "inputs" | "build">,
  weights: ReadonlyMap<string, Value>,
  edit?: Edit,
  { past, shapeOf = () => ["batch", "query"] }: Partial<Continued> = {},
): Forward {
  const inputs = new Map(
    blueprint.inputs.map((spec) => {
      const { name, dtype, shape } =
        typeof spec === "string" ? ({ name: spec, dtype: "int32", shape: shapeOf(spec) } as const) : spec;
      return [name, input(name, dtype, shape)] as const;
    }),
  );
  const values = new Map<Address, Value>();
  const known = (kind: string, found: Value | undefined, name: string): Value => {
    if (!found) throw new EngineError(`${blueprint.family}: no ${kind} "${name}" was declared`);
    return found;
  };
  const outputs = blueprint.build({
    past,
    weight: (name) => known("weight", weights.get(name), name),
    has: (name) => weights.has(name),
    input: (name) => known("input", inputs.get(name), name),
    tap: (address, value) => {
      const named = build.named(address, edit ? edit(address, value) : value);
      values.set(address, named);
      return named;
    },
  });
  for (const [name, value] of Object.entries(outputs)) values.set(name, build.named(name, value));
  return { values, outputs: Object.keys(outputs) };
}
