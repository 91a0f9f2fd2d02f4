import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import { OptionError } from "../../tensor/index.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { dot, normalisedRows, softmaxRow } from "../reference.js";
import type { Scale } from "../steps.js";
import { attendByScores, maskedSoftmax, scaleOf } from "../steps.js";

interface MixtureOfHeadsOptions {
  readonly scale: Scale;
  /** Share of the heads that every token uses: the first ones. */
  readonly shared: number;
  /** Share of the heads that a token uses in all. */
  readonly active: number;
}

interface Counts {
  readonly shared: number;
  /** Heads that a token chooses among, and how many of them it takes. */
  readonly routed: number;
  readonly chosen: number;
}

function countsOf(heads: number, { shared, active }: MixtureOfHeadsOptions): Counts {
  if (!(shared >= 0 && shared <= active && active <= 1 && active > 0))
    throw new OptionError(
      `mixtureOfHeads: shares must keep 0 ≤ shared ≤ active ≤ 1 and active above 0, got ${shared} and ${active}`,
    );
  const always = Math.round(shared * heads);
  const chosen = Math.max(Math.round(active * heads) - always, always === 0 ? 1 : 0);
  return { shared: always, routed: heads - always, chosen };
}

/** What each head counts for at each token, [B,H,T]. */
function gatesOf(router: Value, balance: Value, { shared, routed, chosen }: Counts): Value {
  const parts: Value[] = [];
  const heads = shared + routed;
  if (shared > 0) parts.push(build.mul(build.softmax(build.slice(router, 1, 0, shared), 1), shared));
  if (routed > 0) {
    const shares = build.softmax(build.slice(router, 1, shared, heads), 1); // [B,R,T]
    if (chosen === 0) parts.push(build.mul(shares, 0));
    else {
      const least = build.slice(build.topK(shares, chosen, 1).values, 1, chosen - 1, chosen);
      const kept = build.where(build.greaterOrEqual(shares, least), shares, 0);
      parts.push(build.mul(build.div(kept, build.reduceSum(kept, [1], true)), chosen));
    }
  }
  if (parts.length === 1) return parts[0];
  const means = [build.slice(balance, 1, 0, shared), build.slice(balance, 1, shared, heads)].map((part) =>
    build.reduceMean(part, [1], true),
  );
  const sides = build.mul(build.softmax(build.concat(means, 1), 1), 2); // [B,2,T]
  return build.concat(
    parts.map((part, side) => build.mul(part, build.slice(sides, 1, side, side + 1))),
    1,
  );
}

/** The same of one token in plain numbers. */
function gatesOfToken(router: readonly number[], balance: readonly number[], counts: Counts): number[] {
  const { shared, routed, chosen } = counts;
  const always = shared > 0 ? softmaxRow(router.slice(0, shared)).map((x) => x * shared) : [];
  const shares = routed > 0 ? softmaxRow(router.slice(shared)) : [];
  const order = shares.map((_, r) => r).sort((a, b) => shares[b] - shares[a]);
  const taken = new Set(order.slice(0, chosen));
  const sum = [...taken].reduce((total, r) => total + shares[r], 0);
  const picked = shares.map((share, r) => (taken.has(r) ? (share / sum) * chosen : 0));
  if (shared === 0 || routed === 0) return [...always, ...picked];
  const mean = (part: readonly number[]): number => part.reduce((a, b) => a + b, 0) / part.length;
  const [first, second] = softmaxRow([mean(balance.slice(0, shared)), mean(balance.slice(shared))]);
  return [...always.map((x) => 2 * first * x), ...picked.map((x) => 2 * second * x)];
}

/**
 * Attention whose heads are experts: every token uses the shared heads and chooses a few of the others.
 *
 *   pattern[h,i,·] = g[h,i] · softmax(s[h,i,·])
 *   g of shared heads = 2·α₁ · S·softmax(r)   g of routed heads = 2·α₂ · C·p_h/Σ_chosen p for the C largest p = softmax(r), else 0
 *
 * Gates: `router` holds r; the logit of α₁ (of α₂) is the mean of `balance` over the shared (the routed) heads. Which
 * heads are chosen has no gradient; how much they count has one.
 *
 * Range    weights ≥ 0; a row sums to its gate, 0 where the head is not chosen
 * Throws   OptionError on shares outside 0 … 1
 * Source   MoH, arXiv:2410.11842 eq. 4–8; the factors that make gates of uniform routers 1 as in the authors' code
 * Differs  the two logits of α are means over heads, so that every gate is one number per head; heads that are not chosen
 *          are computed and weigh 0; the load-balancing loss belongs to training
 */
export const mixtureOfHeads: Mechanism<MixtureOfHeadsOptions> = mechanism({
  name: "mixtureOfHeads",
  summary: "heads are experts: every token uses the shared ones and chooses a few others",
  source: "arXiv:2410.11842 eq. 4–8",
  differs: "the balance of shared and routed heads is a mean over heads; unchosen heads are computed and weigh 0",
  rows: [9],
  defaults: { scale: "1/√D", shared: 0.5, active: 0.75 },
  promises: { sees: "mask", rows: "free", mixesValues: true },
  cost: { time: "T²·D", state: "2·T·D" },
  gates: {
    router: { per: "head", range: [-Infinity, Infinity], initial: 0 },
    balance: { per: "head", range: [-Infinity, Infinity], initial: 0 },
  },
  build: (call, options) => {
    const { heads } = sizesOf("mixtureOfHeads", call);
    const gates = gatesOf(call.gates["router"], call.gates["balance"], countsOf(heads, options));
    return attendByScores(call, options.scale, (scores, mask) =>
      build.mul(maskedSoftmax(scores, mask), build.unsqueeze(gates, [3])),
    );
  },
  reference: (head, options) => {
    const factor = scaleOf(options.scale, head.q[0].length);
    const counts = countsOf(head.heads, options);
    const logits = (name: string, i: number): number[] => head.all.gates.map((each) => each[name][i][0]);
    const gated = (scores: readonly number[], i: number): number[] => {
      const gate = gatesOfToken(logits("router", i), logits("balance", i), counts)[head.head];
      return softmaxRow(scores).map((x) => gate * x);
    };
    return { pattern: normalisedRows(head, (i, j) => factor * dot(head.q[i], head.k[j]), gated) };
  },
  limits: [
    { when: "routers are uniform and every head is active", options: { active: 1 }, gates: { router: 0, balance: 0 }, equals: "softmax" }, // prettier-ignore
  ],
  alsoAsked: [{ shared: 0, active: 0.5 }],
});
