import { headGrid, type HeadGridPayload } from "attention-lab/views";

/** Seeded numbers in 0…1 (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  };
}

const sentences = [
  "[CLS] the cat sat on the mat because it was tired . [SEP]",
  "[CLS] attention is all you need [SEP]",
  "[CLS] a researcher reads the heads of a small model and finds one that rests on the separator . [SEP]",
];

/** Softmax rows over logits that mix what real heads do: sinks, previous token, self, local bands, content. */
export function syntheticPattern(
  queries: number,
  keys: number,
  causal: boolean,
  specialKeys: readonly number[],
  seed: number,
): Float32Array {
  const random = seeded(seed);
  const kind = Math.floor(random() * 5);
  const strength = 1 + 4 * random();
  const pull = new Float32Array(keys).map(() => 1.5 * random());
  const pattern = new Float32Array(queries * keys);
  for (let query = 0; query < queries; query++) {
    const position = query + keys - queries;
    const visible = causal ? position + 1 : keys;
    let sum = 0;
    for (let key = 0; key < visible; key++) {
      let logit = pull[key] + random();
      if (kind === 0 && (specialKeys.includes(key) || (specialKeys.length === 0 && key === 0))) logit += strength;
      if (kind === 1 && key === position - 1) logit += strength + 2;
      if (kind === 2) logit -= (strength * Math.abs(position - key)) / 4;
      if (kind === 3 && (key * 7 + query * 3) % 11 === 0) logit += strength;
      const weight = Math.exp(logit);
      pattern[query * keys + key] = weight;
      sum += weight;
    }
    for (let key = 0; key < visible; key++) pattern[query * keys + key] /= sum;
  }
  return pattern;
}

/** The payload of a model that does not exist. */
export function syntheticHeadGrid(options: {
  readonly title?: string;
  readonly layers: number;
  readonly heads: number;
  readonly causal?: boolean;
  readonly samples: readonly (readonly string[])[];
  readonly budgetBytes?: number;
}): HeadGridPayload {
  const { title = "Synthetic encoder", layers, heads, causal = false, samples, budgetBytes } = options;
  return headGrid(
    {
      title,
      layers,
      heads,
      causal,
      samples: samples.map((tokens, index) => {
        const special = tokens.flatMap((token, at) => (/^\[.*\]$/.test(token) ? [at] : []));
        return {
          text: tokens.filter((token) => !/^\[.*\]$/.test(token)).join(" "),
          queryTokens: tokens,
          keyTokens: tokens,
          pattern: (layer, head) =>
            syntheticPattern(tokens.length, tokens.length, causal, special, index * 10_007 + layer * 101 + head),
        };
      }),
      provenance: { model: "synthetic, seed 1", runtime: "none", dtype: "float32" },
    },
    budgetBytes === undefined ? {} : { budgetBytes },
  );
}

/** Words that stand for a text of `count` tokens. */
export function tokensOf(count: number): readonly string[] {
  const random = seeded(count);
  const words =
    "the of and a to in is it that was for on are as with his they at be this from have or by one had".split(" ");
  return Array.from({ length: count }, (_, index) =>
    index === 0 ? "<s>" : (random() < 0.15 ? "" : "\u0120") + words[Math.floor(random() * words.length)],
  );
}

/** Gallery examples by name: each is drawn, tested and bench-marked. */
export const headGridExamples: Readonly<Record<string, () => HeadGridPayload>> = {
  encoder: () => syntheticHeadGrid({ layers: 6, heads: 12, samples: sentences.map((text) => text.split(" ")) }),
  decoder: () =>
    syntheticHeadGrid({ title: "Synthetic decoder", layers: 12, heads: 12, causal: true, samples: [tokensOf(64)] }),
  long: () =>
    syntheticHeadGrid({ title: "Synthetic long input", layers: 12, heads: 12, causal: true, samples: [tokensOf(512)] }),
  small: () => syntheticHeadGrid({ title: "Two heads", layers: 1, heads: 2, samples: [["[CLS]", "hi", "[SEP]"]] }),
};
