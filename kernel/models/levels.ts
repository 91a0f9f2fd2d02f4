import type { Value } from "../graph/index.js";
import { formatShape } from "../tensor/index.js";
import type { Address } from "./addresses.js";

/** One activation, or that of every layer. */
export interface DescribedActivation {
  /** `*` stands for every layer: `blocks.*.attn.q`. */
  readonly address: Address;
  /** `attn`, `cross_attn`, `mlp`; empty for what is the block's or the model's own. */
  readonly part: string;
  /** What is left of the address: `q`. */
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

/** Activations in the order in which they are computed, of layers that are alike, or outside of layers. */
export interface DescribedLevel {
  /** `blocks`, `encoder.blocks`; empty outside of layers. */
  readonly path: string;
  /** How many layers there are; 0 outside of layers. */
  readonly layers: number;
  readonly activations: readonly DescribedActivation[];
}

/** `blocks.2.attn.q` as its level, layer and name; what is in no layer has neither level nor layer. */
function placeOf(address: Address): { readonly path: string; readonly layer: number; readonly name: string } {
  const found = /^(.*?\bblocks)\.(\d+)\.(.+)$/.exec(address);
  return found ? { path: found[1], layer: Number(found[2]), name: found[3] } : { path: "", layer: -1, name: address };
}

/** A model's activations by level, in order; layers that are alike are told once. */
export function levelsOf(values: ReadonlyMap<Address, Value>): readonly DescribedLevel[] {
  const levels: { path: string; layers: number; readonly activations: Map<string, DescribedActivation> }[] = [];
  for (const [address, { shape }] of values) {
    const { path, layer, name } = placeOf(address);
    const known =
      path === "" ? [levels.at(-1)].find((level) => level?.path === "") : levels.find((level) => level.path === path);
    const level = known ?? { path, layers: 0, activations: new Map<string, DescribedActivation>() };
    if (!known) levels.push(level);
    level.layers = Math.max(level.layers, layer + 1);
    const [, part = "", rest = name] = /^(attn|cross_attn|mlp|pool)\.(.+)$/.exec(name) ?? [];
    const told = path === "" ? address : `${path}.*.${name}`;
    level.activations.set(`${told} ${formatShape(shape)}`, { address: told, part, name: rest, shape: [...shape] });
  }
  return levels.map(({ path, layers, activations }) => ({ path, layers, activations: [...activations.values()] }));
}
