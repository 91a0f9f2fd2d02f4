import type { Address } from "./addresses.js";
import type { AttentionStack, Sequence } from "./attentionStack.js";
import type { Batch, Blueprint } from "./family.js";

/** Every kind of attention that a model has. */
export function stacksOf(blueprint: Blueprint): readonly AttentionStack[] {
  const { layers, heads, kvHeads = heads, valueHeads = kvHeads, headDim, causal } = blueprint;
  const only: AttentionStack = {
    ...{ name: "", layers, heads, kvHeads, valueHeads, headDim, causal },
    path: (layer) => `blocks.${layer}.attn`,
    queries: "prompt",
    keys: "prompt",
  };
  return blueprint.stacks ?? [only];
}

/** Whether a model writes a text token by token. */
export function writesText({ causal, decoder }: Pick<Blueprint, "causal" | "decoder">): boolean {
  return causal || decoder !== undefined;
}

/** The addresses of one part of every attention, by stack and layer. */
export function partsOf(
  blueprint: Blueprint,
  part: "pattern" | "z",
): ReadonlyMap<Address, { readonly stack: AttentionStack; readonly layer: number }> {
  return new Map(
    stacksOf(blueprint).flatMap((stack) =>
      Array.from({ length: stack.layers }, (_, layer) => [`${stack.path(layer)}.${part}`, { stack, layer }] as const),
    ),
  );
}

/** The axis that counts the rows of a sequence. */
export function batchAxis(sequence: Sequence): "batch" | "picture" {
  return sequence === "pictures" ? "picture" : "batch";
}

/** Rows, length and mask, [rows, length], of the tokens of a sequence. */
export function sequenceOf(
  batch: Batch,
  sequence: Sequence,
): Pick<Batch, "size" | "length" | "attentionMask" | "inputIds"> {
  if (sequence === "prompt") return batch;
  if (sequence === "pictures") {
    if (!batch.patches) throw new TypeError("a batch for a model that sees lacks pictures");
    const { pictures: size, length } = batch.patches;
    const blank = new Int32Array(size * length);
    return { size, length, inputIds: blank, attentionMask: blank.map(() => 1) };
  }
  if (!batch.decoder) throw new TypeError("a batch for a model with a decoder lacks the decoder's tokens");
  return { ...batch.decoder, size: batch.size };
}

/** Positions of one prompt that are not padding. */
export function realPositions(batch: Batch, prompt: number, sequence: Sequence): readonly number[] {
  const { length, attentionMask } = sequenceOf(batch, sequence);
  const row = attentionMask.subarray(prompt * length, (prompt + 1) * length);
  return Array.from(row.keys()).filter((t) => row[t] === 1);
}
