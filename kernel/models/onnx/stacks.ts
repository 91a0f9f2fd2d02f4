import type { Tensor } from "../../tensor/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import type { AttentionStack } from "../attentionStack.js";
import type { OpenBlock } from "./inspect.js";
import { isCausal } from "./probe.js";

/** Kinds of attention in a file with a decoder, by the path of their addresses. */
const kinds: Readonly<Record<string, Pick<AttentionStack, "name" | "queries" | "keys">>> = {
  "encoder.blocks.*.attn": { name: "encoder", queries: "prompt", keys: "prompt" },
  "decoder.blocks.*.attn": { name: "decoder", queries: "decoder", keys: "decoder" },
  "decoder.blocks.*.cross_attn": { name: "cross", queries: "decoder", keys: "prompt" },
};

/** Whatever two blocks of one kind must agree in, refused where they do not. */
function checkSizes(place: string, blocks: readonly OpenBlock[]): void {
  const text = ({ sizes: { heads, kvHeads, headDim } }: OpenBlock): string =>
    `${heads} (${kvHeads}) heads of ${headDim}`;
  const [first] = blocks;
  const other = blocks.find((block) => text(block) !== text(first));
  if (other) {
    throw new UnsupportedError(
      `${place}: attentions of one kind must have the same sizes; ${first.address} has ${text(first)}, ${other.address} has ${text(other)}`,
    );
  }
}

/**
 * The kinds of attention that a file has; a single unnamed one where it has no decoder.
 *
 * Throws   UnsupportedError where attentions of one kind differ in size, or do not belong to one model
 */
export function fileStacks(
  place: string,
  blocks: readonly OpenBlock[],
  patterns: readonly Tensor[],
  isPair: boolean,
): readonly AttentionStack[] {
  const path = (address: string): string => address.replace(/\d+/, "*");
  const paths = [...new Set(blocks.map(({ address }) => path(address)))];
  const foreign = paths.filter((own) => (isPair ? !Object.hasOwn(kinds, own) : own !== "blocks.*.attn"));
  if (foreign.length > 0) {
    throw new UnsupportedError(`${place}: attentions at ${paths.join(", ")} do not make one model; it is not opened`);
  }
  return paths.map((own) => {
    const places = [...blocks.keys()].filter((i) => path(blocks[i].address) === own);
    const members = places.map((i) => blocks[i]);
    checkSizes(place, members);
    const { heads, kvHeads, headDim } = members[0].sizes;
    return {
      ...(isPair ? kinds[own] : ({ name: "", queries: "prompt", keys: "prompt" } as const)),
      ...{ layers: members.length, heads, kvHeads, headDim },
      causal: places.every((i) => isCausal(patterns[i])),
      path: (layer) => own.replace("*", String(layer)),
    };
  });
}
