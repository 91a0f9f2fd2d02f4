import { build } from "../graph/index.js";
import type { Batch, Model, ModelInput, Site } from "../models/index.js";
import { diagonal, role } from "../probes/index.js";
import { checkOptions, Tensor, wholeNumber } from "../tensor/index.js";
import { HeadScores } from "./headScores.js";
import { headOptions, settingsOf, type HeadOptions } from "./parts/headOptions.js";
import { perHead } from "./parts/perHead.js";
import { promptsOf } from "./parts/prompts.js";
import { meanOf } from "./parts/statistics.js";

export interface HeadRoleOptions extends HeadOptions {
  /** Of prompts whose tokens repeat with this period: adds the means over the diagonals of duplicates and induction. */
  readonly period?: number;
}

const roles = ["induction", "previous", "duplicate"] as const;

/**
 * How much every head does what a previous-token, a duplicate-token or an induction head does, by each of the conventions
 * in use; all of them causal.
 *
 *   induction, previous, duplicate        Σ A∘P / Σ A, see `probes.role`
 *   … without first                       the same for the attention that is not on token 0
 *   previous diagonal                     mean of A[q, q − 1] over q ≥ 1; a perfect head has 1
 *   duplicate diagonal, induction diagonal   the same at offsets period and period − 1, with `period`
 *   induction by occurrence               Σ_q Σ_p A[q, p + 1] over earlier occurrences p of token q, A < 0.01 as 0,
 *                                         over the number of queries that have one; NaN where none has
 *
 * Range    0 … 1
 * Throws   OptionError on a period that is not a whole number of at least 1
 * Source   mass: TransformerLens' head detector; diagonal: its demos; occurrence: HeadVis. In that form an immediate repeat
 *          makes p + 1 = q, so attention of a token to itself counts
 * Example  await headRoles(model, tasks.repeatedTokens({ period: 25, high: 50257 }), { period: 25 })
 */
export async function headRoles(
  model: Model,
  inputs: string | readonly string[] | ModelInput,
  options: HeadRoleOptions = {},
): Promise<HeadScores> {
  checkOptions("headRoles", options, [...headOptions, "period"]);
  const { period, seed = 0, onProgress } = options;
  if (period !== undefined) wholeNumber("headRoles", "period", period);
  const offsets = {
    "previous diagonal": 1,
    ...(period === undefined ? {} : { "induction diagonal": period - 1, "duplicate diagonal": period }),
  };
  const probes = {
    ...Object.fromEntries(roles.map((kind) => [kind, role({ role: kind })])),
    ...Object.fromEntries(roles.map((kind) => [`${kind} without first`, role({ role: kind, without: [0] })])),
    ...Object.fromEntries(Object.entries(offsets).map(([name, offset]) => [name, diagonal({ offset })])),
  };
  const prompts = promptsOf("headRoles", inputs);
  const measured: Record<string, (readonly (readonly number[])[])[]> = {};
  const even: Record<string, number[]> = {};
  for (const [at, prompt] of prompts.entries()) {
    let batch: Batch | undefined;
    const found = await model.compute(
      prompt.times(1),
      (site) => {
        batch = site.batch;
        const measures = Object.entries(probes).map(([name, { measure }]) => [name, measure(site)] as const);
        return { ...Object.fromEntries(measures), "induction by occurrence": occurrences(site) };
      },
      settingsOf(options),
    );
    for (const [name, value] of Object.entries(found)) (measured[name] ??= []).push(perHead(value));
    if (model.causal) {
      for (const [name, score] of Object.entries(evenScores(batch!, offsets))) (even[name] ??= []).push(score);
    }
    onProgress?.(at + 1, prompts.length);
  }
  const uniform = Object.fromEntries(Object.entries(even).map(([name, scores]) => [name, meanOf(scores)]));
  return new HeadScores({
    caption: `Roles of heads of ${model.name}, ${prompts.length} prompts`,
    measured,
    uniform,
    seed,
    provenance: async () => model.provenance(),
  });
}

/** Earlier occurrences' next positions, q by k, and how many queries have one; padding matches nothing. */
function nextOfEarlier({ length, inputIds, attentionMask }: Batch): {
  readonly mask: Tensor<"float32">;
  readonly queries: number;
} {
  const mask = new Float32Array(length * length);
  let queries = 0;
  for (let q = 0; q < length; q++) {
    if (attentionMask[q] === 0) continue;
    let isRepeat = false;
    for (let p = 0; p < q; p++) {
      if (attentionMask[p] === 0 || inputIds[p] !== inputIds[q]) continue;
      isRepeat = true;
      mask[q * length + p + 1] = 1;
    }
    if (isRepeat) queries++;
  }
  return { mask: new Tensor("float32", [1, length, length], mask), queries };
}

function occurrences(site: Site): ReturnType<typeof build.add> {
  const { mask, queries } = nextOfEarlier(site.batch);
  const wanted = build.unsqueeze(site.feed("occurrences", mask, ["batch", "query", "query"]), [1]);
  const count = site.feed(
    "occurrence queries",
    new Tensor("float32", [], Float32Array.of(queries === 0 ? NaN : queries)),
  );
  const layers = Array.from({ length: site.model.layers }, (_, l) => {
    const pattern = site.at(`blocks.${l}.attn.pattern`);
    const kept = build.where(build.less(pattern, 0.01), 0, pattern);
    const sum = build.reduceSum(build.mul(kept, wanted), [2, 3]); // [1,H]
    return build.unsqueeze(build.div(sum, count), [1]);
  });
  return build.concat(layers, 1);
}

/** What 1/(q + 1) on every visible key scores on a prompt of causal attention. */
function evenScores(batch: Batch, offsets: Readonly<Record<string, number>>): Record<string, number> {
  const real = Array.from(batch.attentionMask).flatMap((isReal, t) => (isReal === 1 ? [t] : []));
  const ids = real.map((t) => batch.inputIds[t]);
  const hits = {
    previous: (q: number, k: number) => k === q - 1,
    duplicate: (q: number, k: number) => k < q && ids[k] === ids[q],
    induction: (q: number, k: number) => k > 0 && k <= q && ids[k - 1] === ids[q],
  };
  const share = (isHit: (q: number, k: number) => boolean): number =>
    meanOf(ids.map((_, q) => Array.from({ length: q + 1 }, (_k, k) => isHit(q, k)).filter(Boolean).length / (q + 1)));
  const onDiagonal = (offset: number): number => {
    const rows = ids.flatMap((_, q) => (q >= offset ? [1 / (q + 1)] : []));
    return rows.length === 0 ? 0 : meanOf(rows);
  };
  return {
    ...Object.fromEntries(roles.map((kind) => [kind, share(hits[kind])])),
    ...Object.fromEntries(Object.entries(offsets).map(([name, offset]) => [name, onDiagonal(offset)])),
  };
}
