import { OptionError, Tensor } from "../tensor/index.js";
import type { Site } from "./site.js";

/**
 * Some tokens of each prompt: positions for every prompt, positions per prompt, or a question asked of each token.
 * Positions count from the start of the row, padding included; padding is in no set.
 */
export type TokenSet =
  readonly number[] | readonly (readonly number[])[] | ((token: string, position: number, prompt: number) => boolean);

/**
 * A token set as a mask, [batch,query].
 *
 * Throws   OptionError on a position that a prompt does not have
 */
export function tokenMask(
  place: string,
  set: TokenSet,
  { batch, tokens }: Pick<Site, "batch" | "tokens">,
): Tensor<"bool"> {
  const { size, length, attentionMask } = batch;
  const mask = new Uint8Array(size * length);
  for (let b = 0; b < size; b++) {
    const put = (t: number): void => {
      if (attentionMask[b * length + t] === 1) mask[b * length + t] = 1;
    };
    if (typeof set === "function") {
      tokens[b].forEach((token, t) => (set(token, t, b) ? put(t) : undefined));
      continue;
    }
    const isPerPrompt = set.length > 0 && Array.isArray(set[0]);
    if (isPerPrompt && set.length !== size) {
      throw new OptionError(`${place}: expected positions for ${size} prompts, got ${set.length}`);
    }
    for (const t of (isPerPrompt ? set[b] : set) as readonly number[]) {
      if (!Number.isInteger(t) || t < 0 || t >= length) {
        throw new OptionError(`${place}: no position ${String(t)} in prompt ${b}; expected 0 … ${length - 1}`);
      }
      put(t);
    }
  }
  return new Tensor("bool", [size, length], mask);
}
