import { headPair, type HeadPairPayload } from "attention-lab/views";
import { syntheticPattern, tokensOf } from "./headGrid.js";

/** Two heads of a model that does not exist. */
export function syntheticHeadPair(count: number): HeadPairPayload {
  const tokens = tokensOf(count);
  return headPair({
    title: "Synthetic decoder",
    names: ["L3.H0", "L3.H1"],
    causal: true,
    queryTokens: tokens,
    keyTokens: tokens,
    patterns: [syntheticPattern(count, count, true, [], 303), syntheticPattern(count, count, true, [], 304)],
    provenance: { model: "synthetic, seed 1" },
  });
}

/** Gallery examples by name. */
export const headPairExamples: Readonly<Record<string, () => HeadPairPayload>> = {
  "compared-long": () => syntheticHeadPair(700),
  compared: () => syntheticHeadPair(18),
};
