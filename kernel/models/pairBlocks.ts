import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { attend } from "./attention.js";
import type { GraphContext } from "./family.js";
import { writtenHeads } from "./writtenHeads.js";

type Layer = (x: Value) => Value;
type Tap = GraphContext["tap"];

/** One attention of a block, put together by a family. */
export interface PairAttention {
  readonly norm: Layer;
  /** Queries [B,H,Q,D] of what asks; keys and values [B,H,K,D] of what is attended to. */
  readonly query: Layer;
  readonly key: Layer;
  readonly value: Layer;
  /** [B,Q,H·D] → [B,Q,M] */
  readonly output: Layer;
  readonly scale: number;
  /** Added to the scores, [B,1,Q,K], [B,1,1,K] or [B,H,Q,K]. */
  readonly bias: Value;
}

/** One block of an encoder, or of a decoder where it attends to the encoder too. */
export interface PairBlock {
  /** Whether a norm comes before its sublayer, or after the sum with what the sublayer wrote. */
  readonly normFirst: boolean;
  readonly self: PairAttention;
  readonly cross?: PairAttention;
  readonly mlpNorm: Layer;
  readonly mlp: (x: Value, tap: Tap) => Value;
}

function attention(tap: Tap, path: string, parts: PairAttention, asks: Value, attended: Value): Value {
  const named: Tap = (part, value) => tap(part.replace(/^attn\b/, path), value);
  const q = named("attn.q", parts.query(asks));
  const k = named("attn.k", parts.key(attended));
  const v = named("attn.v", parts.value(attended));
  const z = attend(named, q, k, v, { scale: parts.scale, bias: parts.bias });
  return tap(`${path}_out`, writtenHeads(named, z, parts.output));
}

/**
 * The blocks of one side of an encoder–decoder model; a decoder's attend to themselves, then to `memory`.
 *
 *   norm first: y = x + f(LN(x)),  else: y = LN(x + f(x)),  for f = self-attention, cross-attention, MLP in turn
 *
 * Shapes   x [B,Q,M] · memory [B,K,M] → [B,Q,M]
 * Source   arXiv:1706.03762 §3.1–3.2; the norm first arXiv:2002.04745 §3
 */
export function pairBlocks(
  { tap: tapModel }: Pick<GraphContext, "tap">,
  side: "encoder" | "decoder",
  blocks: readonly PairBlock[],
  x: Value,
  memory?: Value,
): Value {
  let stream = x;
  blocks.forEach(({ normFirst, self, cross, mlpNorm, mlp }, layer) => {
    const tap: Tap = (part, value) => tapModel(`${side}.blocks.${layer}.${part}`, value);
    let norms = 0;
    const sublayer = (before: Value, norm: Layer, compute: Layer, after: string): Value => {
      norms += 1;
      return normFirst
        ? tap(after, build.add(before, compute(tap(`ln${norms}.normalized`, norm(before)))))
        : tap(after, norm(build.add(before, compute(before))));
    };
    stream = sublayer(tap("resid_pre", stream), self.norm, (y) => attention(tap, "attn", self, y, y), "resid_mid");
    if (cross && memory) {
      const across: Layer = (y) => attention(tap, "cross_attn", cross, y, memory);
      stream = sublayer(stream, cross.norm, across, "resid_mid_cross");
    }
    stream = sublayer(stream, mlpNorm, (y) => tap("mlp_out", mlp(y, tap)), "resid_post");
  });
  return stream;
}
