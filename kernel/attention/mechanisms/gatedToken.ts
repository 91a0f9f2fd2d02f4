import { build } from "../../graph/index.js";
import { ownTokenRows, ownTokens } from "../channels.js";
import { lengthOf } from "../lengths.js";
import type { Mechanism } from "../mechanism.js";
import { mechanism, sizesOf } from "../mechanism.js";
import { perHead, silu } from "../steps.js";

/**
 * No attention at all: every token reads itself through a gate. With the layer's projections it is a gated MLP of H·D hidden
 * units, FC_down(silu(FC_gate(x)) ⊙ FC_up(x)), where FC_up makes the values and FC_down is what the heads write.
 *
 *   z_t = silu(u_t) ⊙ v_t        u the gate
 *
 * Queries and keys have no say.
 *
 * Range    the pattern is the identity; z is the values channel by channel times the gate
 * Source   Deconstructing Attention, arXiv:2510.11602 eq. 4–5, "MLP"
 * Differs  a layer makes queries and keys all the same; heads of 4/3 · width / H channels make the three matrices as many
 *          numbers as the four of attention
 */
export const gatedToken: Mechanism = mechanism({
  name: "gatedToken",
  summary: "no attention: every token reads itself through a gate, a gated MLP in its place",
  source: "arXiv:2510.11602 eq. 4–5",
  differs: "a layer makes queries and keys all the same",
  rows: [16],
  defaults: {},
  promises: { sees: "causal", rows: "one", mixesValues: false },
  cost: { time: "T·D", state: "0" },
  gates: { gate: { per: "valueChannel", range: [-Infinity, Infinity] } },
  build: ({ q, k, v, gates }) => {
    const sizes = sizesOf("gatedToken", { q, k, v });
    lengthOf("gatedToken", sizes);
    const { gate } = gates;
    return {
      pattern: ownTokens(q),
      z: build.mul(silu(gate), perHead(v, sizes.heads)),
    };
  },
  reference: ({ q, v, gates }) => ({
    pattern: ownTokenRows(q),
    z: v.map((row, t) => row.map((x, e) => (x * gates["gate"][t][e]) / (1 + Math.exp(-gates["gate"][t][e])))),
  }),
  stream: {
    state: () => ({}),
    step: (_, { q, v, gates }) => {
      const { gate } = gates!;
      return { z: build.mul(silu(gate), perHead(v, q.shape[1] as number)), state: {} };
    },
  },
});
