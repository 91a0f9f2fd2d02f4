import type { Value } from "../graph/index.js";
import { formatShape } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import type { Blueprint } from "./family.js";
import { stacksOf } from "./stacks.js";

/** The sizes of a model, a line for each kind of attention where there are several. */
export function describeSizes(blueprint: Blueprint, device: string): readonly string[] {
  const { width, positions, decoder } = blueprint;
  const stacks = stacksOf(blueprint);
  const heads = stacks.map(({ name, layers, heads: count, kvHeads = count, headDim }) => {
    const shared = kvHeads === count ? "" : ` (${kvHeads} of keys and values)`;
    return `${name === "" ? "" : `${name}: `}${layers} layers × ${count} heads${shared} of ${headDim}`;
  });
  const counted = (limit: number): string =>
    Number.isFinite(limit) ? `${limit} positions` : "any number of positions";
  const places = decoder ? `${counted(positions)} read, ${counted(decoder.positions)} written` : counted(positions);
  const rest = `width ${width}, ${places}, on ${device}`;
  return heads.length === 1 ? [`${heads[0]}, ${rest}`] : [...heads, rest];
}

/** `blocks.*.attn.q` as its path and its last part. */
function split(address: Address): readonly [string, string] {
  const at = address.lastIndexOf(".");
  return [address.slice(0, at + 1), address.slice(at + 1)];
}

/**
 * Every address on a few lines: those of one path and one shape share a line, `*` stands for every layer.
 *
 * Example  blocks.*.attn.{k, rot_k, v}  [batch,2,query,8]
 */
export function describeAddresses(values: ReadonlyMap<Address, Value>): string {
  const groups = new Map<string, { readonly path: string; readonly shape: string; readonly names: Set<string> }>();
  for (const [address, value] of values) {
    const [path, name] = split(address.replace(/\.\d+\./, ".*."));
    const shape = formatShape(value.shape);
    const key = `${path} ${shape}`;
    if (!groups.has(key)) groups.set(key, { path, shape, names: new Set() });
    groups.get(key)!.names.add(name);
  }
  const lines = [...groups.values()].map(({ path, shape, names }) => {
    const list = [...names].join(", ");
    return [path === "" ? list : names.size > 1 ? `${path}{${list}}` : path + list, shape] as const;
  });
  const width = Math.max(...lines.map(([names]) => names.length));
  return lines.map(([names, shape]) => `${names.padEnd(width)}  ${shape}`).join("\n");
}
