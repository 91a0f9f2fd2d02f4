import { build } from "../graph/index.js";
import type { Batch, Probe, TokenSet } from "../models/index.js";
import { checkOptions, knownNames, OptionError, Tensor } from "../tensor/index.js";
import { overLayers, ratio, without } from "./parts/attention.js";

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
      const wanted = site.feed(name, expectedPattern(kind, site.batch), ["batch", "query", "query"]);
      return overLayers(site, "attn.pattern", (pattern) => {
        const mass = build.mul(without(name, site, pattern, keys), build.unsqueeze(site.real, [1, 3]));
        const hit = build.mul(mass, build.unsqueeze(wanted, [1]));
        return ratio(build.reduceSum(hit, [2, 3]), build.reduceSum(mass, [2, 3]));
      });
    },
  };
}

/** P of {@link role}, [B,Q,K]; padding matches nothing. */
export function expectedPattern(kind: Role, { size, length, inputIds, attentionMask }: Batch): Tensor<"float32"> {
  const out = new Float32Array(size * length * length);
  for (let b = 0; b < size; b++) {
    const token = (t: number): number => (attentionMask[b * length + t] === 1 ? inputIds[b * length + t] : -1 - t);
    for (let q = 0; q < length; q++) {
      for (let k = 0; k <= q; k++) {
        const isIt =
          kind === "previous"
            ? k === q - 1
            : kind === "duplicate"
              ? k < q && token(k) === token(q)
              : k > 0 && k - 1 < q && token(k - 1) === token(q);
        if (isIt) out[(b * length + q) * length + k] = 1;
      }
    }
  }
  return new Tensor("float32", [size, length, length], out);
}
