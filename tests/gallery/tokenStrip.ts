import { tokenStrip, type TokenStripPayload } from "attention-lab/views";
import { seeded, syntheticPattern, tokensOf } from "./headGrid.js";

/** The strip of a head that does not exist, on `count` tokens. */
export function syntheticStrip(count: number, budgetBytes: number = 1_000_000): TokenStripPayload {
  const tokens = tokensOf(count);
  const pattern = syntheticPattern(count, count, true, [], 303);
  const row = (query: number): Float32Array => pattern.subarray(query * count, (query + 1) * count);
  const values = tokens.map((_, key) => {
    let sum = 0;
    for (let query = key; query < count; query++) sum += pattern[query * count + key];
    return sum / (count - key);
  });
  return tokenStrip(
    {
      title: "Synthetic decoder",
      measure: "attention received, mean over the queries that see the token",
      kind: "sequential",
      tokens,
      values,
      attention: { caption: "layer 3, head 0", causal: true, row },
      provenance: { model: "synthetic, seed 1" },
    },
    { budgetBytes },
  );
}

/** A loss per token of a model that does not exist, with odd tokens. */
export function syntheticLosses(): TokenStripPayload {
  const random = seeded(5);
  const tokens = [
    "<s>",
    "for",
    " (",
    "i",
    " in",
    " range",
    "):",
    "\n",
    "\t",
    "print",
    "(",
    "“שלום”",
    ")",
    "\n",
    " Tōkyō",
    "…",
  ];
  return tokenStrip({
    title: "What a synthetic decoder does not expect",
    measure: "loss (nats)",
    kind: "sequential",
    tokens,
    values: tokens.map((_, at) => (at === 0 ? NaN : 6 * random() ** 3)),
    notes: ["The first token is not predicted."],
    provenance: { model: "synthetic, seed 5" },
  });
}

/** Numbers of a long text. */
export function manyTokens(count: number): TokenStripPayload {
  const tokens = tokensOf(count);
  return tokenStrip({ title: "Many", measure: "place", kind: "sequential", tokens, values: tokens.map((_, at) => at) });
}

/** Gallery examples by name; the last is the one that is tested hardest. */
export const tokenStripExamples: Readonly<Record<string, () => TokenStripPayload>> = {
  losses: syntheticLosses,
  "strip-long": () => syntheticStrip(2048),
  strip: () => syntheticStrip(48, 9_000),
};
