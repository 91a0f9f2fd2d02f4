import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";

/**
 * Tokens chosen for each head by their places.
 *
 * Shapes   x [B,H,T,D] · places [B,H,N] int64 → [B,H,N,D]
 */
export function taken(x: Value, places: Value): Value {
  const [batch, heads, count] = places.shape;
  const everywhere = build.expand(build.unsqueeze(places, [3]), [batch, heads, count, x.shape[3]]);
  return build.gatherElements(x, everywhere, 2);
}
