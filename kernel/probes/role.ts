import { build, type Value } from "../graph/index.js";
import type { Batch, Probe, Site, TokenSet } from "../models/index.js";
import { checkOptions, knownNames, OptionError, Tensor } from "../tensor/index.js";
import { overLayers, positions, ratio, without } from "./parts/attention.js";

/** What a head may look for: the token before; earlier copies of the token; what followed them. */
export type Role = "previous" | "duplicate" | "induction";

const roles: readonly Role[] = ["previous", "duplicate", "induction"];

export interface RoleOptions {
  readonly role: Role;
  /** Keys that are left out of both sums: `[0]` for the share of the mass that is not on the first token. */
  readonly without?: TokenSet;
}

/**
 * The share of a head's attention that lies where its role says.
 *
 *   Σ A∘P / Σ A over the real queries; P[q,k] = 1 where
 *   previous: k = q − 1 · duplicate: token k = token q, k < q · induction: token k − 1 = token q, 0 < k ≤ q
 *
 * Shapes   [B,L,H]
 * Range    0 … 1; row 0 has mass but no token before it, so a perfect previous-token head scores (T − 1)/T: in the mean
 *          over a diagonal (`diagonal`) perfect is 1
 * Source   the mass form of TransformerLens' head detector
 */
export function role(options: RoleOptions): Probe {
  checkOptions("role", options, ["role", "without"]);
  const { role: kind, without: keys } = options;
  if (!roles.includes(kind)) throw new OptionError(`role: unknown role "${String(kind)}"${knownNames(kind, roles)}`);
  const name = keys === undefined ? kind : `${kind} without`;
  return {
    name,
    measure: (site) => {
      const wanted = build.unsqueeze(expectedPattern(kind, site), [1]);
      const real = build.unsqueeze(site.real, [1]);
      return overLayers(site, "attn.pattern", (pattern) => {
        const mass = without(name, site, pattern, keys);
        const overAll = (x: Value): Value => build.reduceSum(build.mul(build.reduceSum(x, [3]), real), [2]); // [B,H]
        return ratio(overAll(build.where(wanted, mass, 0)), overAll(mass));
      });
    },
  };
}

/** P of {@link role}, [B,Q,K], from the tokens' ids; padding matches nothing. */
function expectedPattern(kind: Role, site: Site): Value {
  const order = positions(site);
  const back = build.sub(build.unsqueeze(order, [1]), build.unsqueeze(order, [0])); // [Q,K]
  if (kind === "previous") return build.unsqueeze(build.equal(back, 1), [0]);
  const ids = tokensOf(site.batch);
  const feed = (name: string, data: Int32Array): Value =>
    site.feed(`${name} ids`, new Tensor("int32", [site.batch.size, site.batch.length], data), site.real.shape);
  const [queries, own] = [build.unsqueeze(feed("token", ids), [2]), build.unsqueeze(feed("token", ids), [1])];
  if (kind === "duplicate") return build.and(build.equal(queries, own), build.greater(back, 0));
  const before = build.unsqueeze(feed("token before", ids.map((_, i) => (i % site.batch.length === 0 ? nothing : ids[i - 1]))), [1]); // prettier-ignore
  return build.and(build.equal(queries, before), build.greaterOrEqual(back, 0));
}

/** Stands before the first token. */
const nothing = -(2 ** 31);

/** Token ids; those of padding are all different, and no token's. */
function tokensOf({ length, inputIds, attentionMask }: Batch): Int32Array {
  return inputIds.map((id, i) => (attentionMask[i] === 1 ? id : -1 - (i % length)));
}
