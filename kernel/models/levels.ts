import type { Value } from "../graph/index.js";
import { formatShape } from "../tensor/index.js";
import type { DiagramActivation, DiagramLevel } from "../views/index.js";
import type { Address } from "./addresses.js";

export type { DiagramActivation as DescribedActivation, DiagramLevel as DescribedLevel } from "../views/index.js";

/** `blocks.2.attn.q` as its level, layer and name; what is in no layer has neither level nor layer. */
function placeOf(address: Address): { readonly path: string; readonly layer: number; readonly name: string } {
  const found = /^(.*?\bblocks)\.(\d+)\.(.+)$/.exec(address);
  return found ? { path: found[1], layer: Number(found[2]), name: found[3] } : { path: "", layer: -1, name: address };
}

/** A model's activations by level, in order; layers that are alike are told once. */
export function levelsOf(values: ReadonlyMap<Address, Value>): readonly DiagramLevel[] {
  type Told = DiagramActivation & { readonly layers: number[] };
  const levels: { path: string; layers: number; readonly activations: Map<string, Told> }[] = [];
  for (const [address, { shape }] of values) {
    const { path, layer, name } = placeOf(address);
    const known =
      path === "" ? [levels.at(-1)].find((level) => level?.path === "") : levels.find((level) => level.path === path);
    const level = known ?? { path, layers: 0, activations: new Map<string, Told>() };
    if (!known) levels.push(level);
    level.layers = Math.max(level.layers, layer + 1);
    const [, part = "", rest = name] = /^(attn|cross_attn|mlp|pool)\.(.+)$/.exec(name) ?? [];
    const told = path === "" ? address : `${path}.*.${name}`;
    const key = `${told} ${formatShape(shape)}`;
    const { layers = [] } = level.activations.get(key) ?? {};
    if (layers.push(layer) > 1) continue;
    level.activations.set(key, { address: told, part, name: rest, shape: [...shape], layers });
  }
  return levels.map(({ path, layers, activations }) => ({
    ...{ path, layers },
    activations: [...activations.values()].map(({ layers: having, ...told }) =>
      path === "" || having.length === layers ? told : { ...told, only: having },
    ),
  }));
}
