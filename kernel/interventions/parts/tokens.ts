import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import type { Site } from "../../models/index.js";
import { tokenMask, type TokenSet } from "../../models/index.js";
import { Tensor } from "../../tensor/index.js";

/** Whether a token is in a set, [batch,query] bool; padding is in none. */
export function inSet(place: string, name: string, site: Site, set: TokenSet): Value {
  return site.feed(name, tokenMask(place, set, site), ["batch", "query"]);
}

/** Whether a key is another token than the query, [query,query] bool. */
export function otherTokens({ batch: { length }, feed, real }: Site): Value {
  const places = Int32Array.from({ length }, (_, t) => t);
  const order = feed("positions", new Tensor("int32", [length], places), [real.shape[1]]);
  return build.not(build.equal(build.unsqueeze(order, [1]), build.unsqueeze(order, [0])));
}

/** `replacement` at the tokens of a set, `value` elsewhere. Shapes: value [B,Q,M], [B,H,Q,D] or [B,Q,H,M]. */
export function atTokens(
  place: string,
  site: Site,
  set: TokenSet | undefined,
  value: Value,
  replacement: Value,
): Value {
  if (set === undefined) return replacement;
  const here = inSet(place, "tokens", site, set);
  const others = value.shape.length === 3 ? [2] : value.shape[1] === here.shape[1] ? [2, 3] : [1, 3];
  return build.where(build.unsqueeze(here, others), replacement, value);
}
