import { hiddenScore } from "../../../attention/steps.js";
import type { Value } from "../../../graph/index.js";
import { build } from "../../../graph/index.js";
import type { NodeProto } from "../../../graph/proto/onnx_pb.js";
import type { Tensor } from "../../../tensor/index.js";
import { asciiText } from "../../../tensor/index.js";
import { attend } from "../../attention.js";
import { mergeHeads } from "../../layers.js";
import type { BlockSizes } from "../block.js";
import type { FileGraph, Seen } from "../fileGraph.js";

/** What one fused operator computes, in the terms of the explicit form. */
export interface FusedTerms {
  /** q [B,H,Q,D] · k, v [B,G,K,D] */
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly scale: number;
  readonly softcap?: number | undefined;
  /** Added to the scores, broadcast to [B,H,Q,K]. */
  readonly bias?: Value | undefined;
  /** bool, broadcast to [B,H,Q,K]: keys that a query sees; a query that sees none gets 0. */
  readonly visible?: Value | undefined;
}

/** A fused attention operator and how it is written out. */
export interface FusedOperator {
  /** Tensors that a first run has to give. */
  readonly needs: (node: NodeProto) => readonly string[];
  /** Where queries and keys come from. */
  readonly ends: (node: NodeProto) => readonly [query: string, key: string];
  /** Sizes, or why this use of the operator is not opened. */
  readonly measure: (node: NodeProto, seen: Seen) => BlockSizes | string;
  readonly terms: (node: NodeProto, graph: FileGraph, sizes: BlockSizes) => FusedTerms;
}

export function intOf({ attribute }: NodeProto, name: string, otherwise: number): number {
  const held = attribute.find((candidate) => candidate.name === name);
  return held ? Number(held.i) : otherwise;
}

export function floatOf({ attribute }: NodeProto, name: string, otherwise: number): number {
  return attribute.find((candidate) => candidate.name === name)?.f ?? otherwise;
}

export function textOf({ attribute }: NodeProto, name: string): string {
  const held = attribute.find((candidate) => candidate.name === name);
  return held ? asciiText(held.s) : "";
}

/** The names of an operator's inputs, `undefined` for those left out. */
export function inputsOf({ input }: NodeProto): readonly (string | undefined)[] {
  return input.map((name) => (name === "" ? undefined : name));
}

/** The inputs at these places, those left out excepted. */
export function named(node: NodeProto, ...places: readonly number[]): readonly string[] {
  return places.flatMap((place) => inputsOf(node)[place] ?? []);
}

/** Why an operator with a past is not opened; undefined where the past is empty. */
export function pastReason(node: NodeProto, seen: Seen, places: readonly number[]): string | undefined {
  const held = named(node, ...places).find((name) => seen.get(name)!.size > 0);
  return held === undefined ? undefined : `it reads the past "${held}", which is not empty`;
}

/** Lengths of queries and keys, whether their heads lie apart ([B,H,T,D]) or together ([B,T,H·D]). */
export function lengthsOf(q: Tensor, k: Tensor): { readonly queries: number; readonly keys: number } {
  return { queries: q.shape.at(-2)!, keys: k.shape.at(-2)! };
}

/** Writes the operator out, its values under their addresses. */
export function openFused(
  node: NodeProto,
  graph: FileGraph,
  { q, k, v, scale, softcap, bias, visible }: FusedTerms,
  tap: (part: string, value: Value) => Value,
): void {
  const added = bias ?? build.scalar(0);
  const lowered = visible ? build.where(visible, added, build.scalar(hiddenScore)) : added;
  const seesAny = visible && build.reduceMax(build.cast(visible, "float32"), [visible.shape.length - 1], true);
  const tapPart = (address: string, value: Value): Value => {
    const part = address.replace("attn.", "");
    return tap(part, part === "pattern" && seesAny ? build.mul(value, seesAny) : value);
  };
  const z = attend(tapPart, q, k, tap("v", v), { scale, softcap, bias: lowered });
  const isApart = graph.seen(node.output[0]).shape.length === 4;
  graph.replace(node.output[0], isApart ? z : mergeHeads(z));
}
