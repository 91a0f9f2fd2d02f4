import { build } from "../../graph/index.js";
import { OptionError } from "../../tensor/index.js";
import { lengthsOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, maskedSoftmax, scaleOf } from "../steps.js";

interface SoftMaskOptions {
  readonly scale: Scale;
  /** What a later key keeps of its weight: 1 sees all, 0 nothing later. */
  readonly later: number;
}

/**
 * Attention on its way from seeing all to seeing nothing later, as a schedule moves it while a model learns.
 *
 *   pattern = softmax(s) ⊙ (α·1 + (1 − α)·tril),  α = `later`
 *
 * Range    rows sum to at most 1: what later keys lose is not given to others
 * Throws   OptionError unless 0 ≤ later ≤ 1
 * Source   soft mask of iLLaMA, arXiv:2404.06773 §3
 * Differs  `later` is a number; whoever trains lowers it. The class token behind the picture stands outside
 */
export const softMask: Mechanism<SoftMaskOptions> = mechanism<SoftMaskOptions>({
  name: "softMask",
  summary: "attention between seeing all and seeing nothing later",
  source: "arXiv:2404.06773 §3",
  differs: "`later` is a number, without its schedule; the class token behind the picture stands outside",
  rows: [179],
  defaults: { scale: "1/√D", later: 0.5 },
  promises: { sees: "all", rows: "at most one", mixesValues: true },
  cost: { time: "T²·D", state: "not causal" },
  build: (call, { scale, later }) => {
    if (!(later >= 0 && later <= 1)) throw new OptionError(`softMask: later must be from 0 to 1, got ${later}`);
    lengthsOf("softMask", sizesOf("softMask", call));
    return attendByScores(call, scale, (scores) => {
      const pattern = maskedSoftmax(scores, undefined);
      return build.add(build.mul(pattern, later), build.triangle(build.mul(pattern, 1 - later)));
    });
  },
  reference: ({ q, k }, { scale, later }) => {
    const factor = scaleOf(scale, q[0].length);
    return {
      pattern: q.map((query, i) =>
        softmaxRow(k.map((key) => factor * dot(query, key))).map((weight, j) => (j <= i ? weight : later * weight)),
      ),
    };
  },
  alsoAsked: [{ later: 0 }],
  limits: [{ when: "later keys keep all", options: { later: 1 }, equals: "softmax" }],
});
