import { generation, type GenerationPayload } from "attention-lab/views";
import { seeded, syntheticPattern, tokensOf } from "./headGrid.js";

/** What a model that does not exist wrote: `given` tokens, then `written` new ones. */
export function syntheticGeneration(given: number, written: number, hasAttention = true): GenerationPayload {
  const all = tokensOf(given + written);
  const words = [...new Set(all)];
  const random = seeded(9);
  const tokens = all.slice(given);
  const logits = tokens.map((token) => words.map((word) => (word === token ? 2 + 3 * random() : 2 * random())));
  const keys = given + written - 1;
  const patterns = new Map<number, Float32Array>();
  const pattern = (layer: number, head: number): Float32Array => {
    const known = patterns.get(layer * 8 + head) ?? syntheticPattern(written, keys, true, [], layer * 101 + head);
    patterns.set(layer * 8 + head, known);
    return known;
  };
  return generation({
    title: "What a synthetic decoder wrote",
    texts: [
      {
        prompt: all.slice(0, given),
        tokens,
        logits: (step) => logits[step],
        chosen: tokens.map((token) => words.indexOf(token)),
      },
    ],
    label: (id) => words[id],
    attention: hasAttention
      ? {
          layers: 4,
          heads: 8,
          weights: (_, step, layer, head) => pattern(layer, head).slice(step * keys, step * keys + given + step),
        }
      : undefined,
    notes: ["Chances and entropies are those of the logits, before rules and temperature."],
    provenance: { model: "synthetic, seed 9" },
  });
}

/** Gallery examples by name. */
export const generationExamples: Readonly<Record<string, () => GenerationPayload>> = {
  "written-long": () => syntheticGeneration(300, 120),
  written: () => syntheticGeneration(8, 14),
};
