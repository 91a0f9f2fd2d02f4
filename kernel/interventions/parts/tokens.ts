import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import type { Site } from "../../models/index.js";
import { tokenMask, type TokenSet } from "../../models/index.js";

/** Whether a token is in a set, [batch,query] bool; padding is in none. */
export function inSet(place: string, name: string, site: Site, set: TokenSet): Value {
  return site.feed(name, tokenMask(place, set, site), ["batch", "query"]);
}

/** `replacement` at the tokens of a set, `value` elsewhere. Shapes: value [B,Q,M] or [B,H,Q,D]. */
export function atTokens(
  place: string,
  site: Site,
  set: TokenSet | undefined,
  value: Value,
  replacement: Value,
): Value {
  if (set === undefined) return replacement;
  const here = inSet(place, "tokens", site, set);
  return build.where(build.unsqueeze(here, value.shape.length === 4 ? [1, 3] : [2]), replacement, value);
}
