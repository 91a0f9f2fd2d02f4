import {
  generationCaps,
  generationVersion,
  type GenerationPayload,
  type LikelyToken,
  type WrittenText,
} from "./generationPayload.js";
import { headGrid } from "./headGrid.js";
import { clip, headingCaps, type Provenance } from "./heading.js";
import { PayloadError } from "./payloadError.js";

export { generationMime, type GenerationPayload, type LikelyToken, type WrittenText } from "./generationPayload.js";
export { generationText } from "./generationText.js";
export { readGeneration } from "./readGeneration.js";

/** What `generation` is made from. */
export interface GenerationInput {
  readonly title: string;
  readonly texts: readonly {
    readonly prompt: readonly string[];
    readonly tokens: readonly string[];
    /** What the token of a step was chosen from, [vocab], and its place there. */
    readonly logits: (step: number) => ArrayLike<number>;
    readonly chosen: readonly number[];
  }[];
  /** The text of a place in the logits. */
  readonly label: (id: number) => string;
  /** Layers and heads, and the attention of a step, [K] over the text before it; left out where it was not kept. */
  readonly attention?:
    | {
        readonly layers: number;
        readonly heads: number;
        readonly weights: (text: number, step: number, layer: number, head: number) => ArrayLike<number>;
      }
    | undefined;
  readonly notes?: readonly string[];
  readonly provenance?: Provenance;
}

const shownLikely = 5;

/**
 * The payload of what a model wrote.
 *
 *   chance = softmax(logits)[chosen]        entropy = −Σ p ln p
 *
 * Range    at most `budgetBytes` (default 1 MB) where the texts fit; 6 significant digits
 * Throws   PayloadError where a text has no new token, or numbers do not agree
 */
export function generation(input: GenerationInput, options: { readonly budgetBytes?: number } = {}): GenerationPayload {
  const { budgetBytes = 1_000_000 } = options;
  const { title, texts, label, attention, notes = [], provenance = {} } = input;
  const empty = texts.findIndex(({ tokens, chosen }) => tokens.length < 1 || tokens.length !== chosen.length);
  if (texts.length < 1 || texts.length > generationCaps.texts || empty >= 0) {
    const got = empty < 0 ? `${texts.length} texts` : `${texts[empty].tokens.length} in text ${empty}`;
    throw new PayloadError(
      `generation: expected 1…${generationCaps.texts} texts of at least one new token, got ${got}`,
    );
  }
  const written = texts.map(({ prompt, tokens, logits, chosen }): WrittenText => {
    const steps = chosen.map((id, step) => choiceOf(logits(step), id, label));
    return {
      prompt: prompt.map(clipped),
      tokens: tokens.map(clipped),
      chances: steps.map(({ chance }) => chance),
      entropyNats: steps.map(({ entropy }) => entropy),
      likely: steps.map(({ likely }) => likely),
    };
  });
  const bare: GenerationPayload = {
    view: "generation",
    version: generationVersion,
    title: clip(title, headingCaps.titleLength),
    texts: written,
    notes: notes.slice(0, headingCaps.notes).map((note) => clip(note, headingCaps.textLength)),
    provenance,
  };
  if (!attention) return bare;
  const { layers, heads, weights } = attention;
  const grid = headGrid(
    {
      ...{ title, layers, heads, causal: true, provenance },
      samples: texts.map(({ prompt, tokens }, text) => {
        const keyTokens = [...prompt, ...tokens.slice(0, -1)];
        return {
          queryTokens: tokens,
          keyTokens,
          pattern: (layer: number, head: number) => {
            const pattern = new Float32Array(tokens.length * keyTokens.length);
            tokens.forEach((_, step) => pattern.set(seen(weights(text, step, layer, head), prompt.length + step), step * keyTokens.length)); // prettier-ignore
            return pattern;
          },
        };
      }),
    },
    { budgetBytes: budgetBytes - JSON.stringify(bare).length - 16 },
  );
  return { ...bare, grid };
}

const clipped = (token: string): string => clip(token, generationCaps.tokenLength);

/** The weights of a step, which sees as many tokens as were there. */
function seen(weights: ArrayLike<number>, count: number): ArrayLike<number> {
  if (weights.length === count) return weights;
  throw new PayloadError(
    `generation: expected ${count} weights for the tokens before a new one, got ${weights.length}`,
  );
}

function choiceOf(
  logits: ArrayLike<number>,
  chosen: number,
  label: (id: number) => string,
): { readonly chance: number; readonly entropy: number; readonly likely: readonly LikelyToken[] } {
  let top = -Infinity;
  for (let id = 0; id < logits.length; id++) if (logits[id] > top) top = logits[id];
  let sum = 0;
  for (let id = 0; id < logits.length; id++) sum += Math.exp(logits[id] - top);
  const normal = top + Math.log(sum);
  let entropy = 0;
  const likeliest: number[] = [];
  for (let id = 0; id < logits.length; id++) {
    const logChance = logits[id] - normal;
    if (logChance > -Infinity) entropy -= Math.exp(logChance) * logChance;
    if (likeliest.length === shownLikely && !(logits[id] > logits[likeliest[shownLikely - 1]])) continue;
    const place = likeliest.findIndex((other) => logits[other] < logits[id]);
    likeliest.splice(place < 0 ? likeliest.length : place, 0, id);
    likeliest.length = Math.min(likeliest.length, shownLikely);
  }
  const chanceOf = (id: number): number => Number(Math.exp(logits[id] - normal).toPrecision(6));
  return {
    chance: chanceOf(chosen),
    entropy: Number(Math.max(0, entropy).toPrecision(6)),
    likely: likeliest.map((id) => ({ token: clipped(label(id)), chance: chanceOf(id) })),
  };
}
