import type { Mechanism } from "../mechanism.js";
import { mechanism } from "../mechanism.js";
import { learnedScore, learnedScores, ownScores } from "../ownScores.js";
import type { Scale } from "../steps.js";

interface AarenOptions {
  readonly scale: Scale;
}

/**
 * Attention as a recurrence: one learned query per head, so that a maximum, a sum and a mean carry all that came before.
 *
 *   s_j = scale · q·k_j        z_t = Σ_{j≤t} e^{s_j} v_j / Σ_{j≤t} e^{s_j}
 *
 * The call's queries are not looked at.
 *
 * Range    rows sum to 1
 * Source   Aaren, arXiv:2405.13956 §3.2
 */
export const aaren: Mechanism<AarenOptions> = mechanism({
  name: "aaren",
  summary: "softmax attention of one learned query per head, as a recurrence",
  source: "arXiv:2405.13956 §3.2",
  rows: [56],
  defaults: { scale: "1/√D" },
  parameters: ({ heads, headDim }) => ({ query: { shape: [heads, headDim], initial: { std: 1 } } }),
  limits: [],
  ...ownScores<AarenOptions>("aaren", {
    scoresOf: (call, heads, { scale }) => learnedScores(call, heads, scale),
    scoreOf: (head, key, { scale }) => learnedScore(head, key, scale),
  }),
});
