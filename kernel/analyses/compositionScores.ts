import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import type { ComputeOptions, Model } from "../models/index.js";
import { checkOptions, knownNames, OptionError, showWith, type Tensor } from "../tensor/index.js";
import { headWeights, weightForms, type HeadWeights, type WeightForm } from "./parts/headWeights.js";
import { csvTable, escapeHtml, htmlTable, latexTable, markdownTable, textTable, type Column } from "./parts/table.js";

/** What the later head reads the earlier one's output as. */
export type CompositionKind = "Q" | "K" | "V";

const kinds: readonly CompositionKind[] = ["Q", "K", "V"];

export interface CompositionOptions {
  /** `"raw"` weights (default), or `"folded"` ones: see {@link compositionScores}. */
  readonly weights?: WeightForm;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

/** How much one head reads what an earlier one writes. */
export interface Composition {
  readonly kind: CompositionKind;
  readonly fromLayer: number;
  readonly fromHead: number;
  readonly toLayer: number;
  readonly toHead: number;
  readonly score: number;
}

const columns: readonly Column<Composition>[] = (
  ["kind", "fromLayer", "fromHead", "toLayer", "toHead", "score"] as const
).map((name) => ({ name, of: (row) => row[name] }));

/** How many rows are shown; an export has all. */
const shownRows = 20;

/** Composition of every pair of heads. Immutable; shows its largest scores. */
export class CompositionScores {
  readonly caption: string;
  readonly rows: readonly Composition[];
  readonly weights: WeightForm;
  /** What matrices of random directions score: 1/√M. */
  readonly chance: number;

  constructor(parts: Pick<CompositionScores, "caption" | "rows" | "weights" | "chance">) {
    this.caption = parts.caption;
    this.rows = parts.rows;
    this.weights = parts.weights;
    this.chance = parts.chance;
  }

  /** The score of one pair; throws OptionError where the first is not in an earlier layer. */
  at(
    kind: CompositionKind,
    from: { readonly layer: number; readonly head: number },
    to: { readonly layer: number; readonly head: number },
  ): number {
    const found = this.rows.find(
      (row) =>
        row.kind === kind &&
        row.fromLayer === from.layer &&
        row.fromHead === from.head &&
        row.toLayer === to.layer &&
        row.toHead === to.head,
    );
    if (!found) {
      throw new OptionError(
        `composition: no ${kind} score from ${from.layer}.${from.head} to ${to.layer}.${to.head}; the first must be in an earlier layer`,
      );
    }
    return found.score;
  }

  /** Largest first; of one kind, where one is given. */
  sorted(kind?: CompositionKind): CompositionScores {
    if (kind !== undefined && !kinds.includes(kind)) {
      throw new OptionError(`sorted: unknown kind "${String(kind)}"${knownNames(kind, kinds)}`);
    }
    const some = kind === undefined ? [...this.rows] : this.rows.filter((row) => row.kind === kind);
    return new CompositionScores({ ...this, rows: some.sort((a, b) => b.score - a.score) });
  }

  toCsv(): string {
    return csvTable(this.rows, columns);
  }

  toLatex(): string {
    return latexTable(this.rows, columns);
  }

  toMarkdown(): string {
    return markdownTable(this.rows, columns);
  }
}

/**
 * How much each head reads what each head of an earlier layer writes, from weights alone.
 *
 *   ‖W₁W₂‖_F / (‖W₁‖_F ‖W₂‖_F), W₁ = W_V W_O of the earlier head; W₂ of the later one is W_Q W_Kᵀ for Q, W_K W_Qᵀ for K, W_V W_O for V
 *   from D × D matrices only: ‖V₁ O₁ Q₂ K₂ᵀ‖² = Σ (V₁ᵀV₁ A) ∘ (A K₂ᵀK₂), A = O₁Q₂
 *
 * Range    0 … 1; 0 where either head is 0. Positions that turn queries and keys are left out
 * Throws   OptionError on an unknown form; UnsupportedError where heads share one output
 * Source   Elhage et al., "A Mathematical Framework for Transformer Circuits" (2021); TransformerLens' all_composition_scores,
 *          whose weights are the folded ones unless it is told otherwise
 */
export async function compositionScores(model: Model, options: CompositionOptions = {}): Promise<CompositionScores> {
  checkOptions("compositionScores", options, ["weights", "onProgress", "signal"]);
  const { weights = "raw", onProgress, signal } = options;
  if (!weightForms.includes(weights)) {
    throw new OptionError(`compositionScores: unknown weights "${String(weights)}"${knownNames(weights, weightForms)}`);
  }
  const settings: ComputeOptions = signal ? { signal } : {};
  const { layers, heads, width } = model;
  const total = (layers * (layers - 1)) / 2;
  const read: HeadWeights[] = [];
  const rows: Composition[] = [];
  let done = 0;
  for (let toLayer = 0; toLayer < layers; toLayer++) {
    read.push(await headWeights(model, toLayer, weights, settings));
    for (let fromLayer = 0; fromLayer < toLayer; fromLayer++) {
      const found = await model.compute(
        { inputIds: [[0]] },
        ({ feed }) => {
          const fed = (layer: number, name: string): Fed => {
            const { q, k, v, o } = read[layer];
            const one = (part: string, x: Tensor): Value => feed(`${name} ${part}`, x);
            return { q: one("q", q), k: one("k", k), v: one("v", v), o: one("o", o) };
          };
          return composed(fed(fromLayer, "from"), fed(toLayer, "to"));
        },
        settings,
      );
      for (const kind of kinds) {
        for (let fromHead = 0; fromHead < heads; fromHead++) {
          for (let toHead = 0; toHead < heads; toHead++) {
            rows.push({ kind, fromLayer, fromHead, toLayer, toHead, score: found[kind].item(fromHead, toHead) });
          }
        }
      }
      onProgress?.(++done, total);
    }
  }
  const chance = 1 / Math.sqrt(width);
  const caption =
    `Composition of heads of ${model.name}, ${weights} weights; ` +
    `random directions would score ${Number(chance.toPrecision(3))}`;
  return new CompositionScores({ caption, rows, weights, chance });
}

type Fed = Readonly<Record<keyof HeadWeights, Value>>;

/** [H,H] of each kind: row the earlier head, column the later one. */
function composed(from: Fed, to: Fed): Record<CompositionKind, Value> {
  const flip = (x: Value): Value => build.transpose(x, [0, 2, 1]);
  const gram = (x: Value): Value => build.matMul(flip(x), x); // [H,D,D]
  const inner = (a: Value, b: Value): Value => build.reduceSum(build.mul(a, b), [1, 2]); // [H]
  const [values, outputs] = [gram(from.v), gram(flip(from.o))];
  const written = inner(values, outputs); // ‖V₁O₁‖²
  const ofKind = (reads: Value, other: Value): Value => {
    // reads [H,M,D] is the side that meets the residual stream, other [H,D,D] the Gram matrix of the far side
    const [heads, width, dim] = reads.shape as [number, number, number];
    const left = build.reshape(from.o, [heads * dim, width]);
    const right = build.reshape(build.transpose(reads, [1, 0, 2]), [width, heads * dim]);
    const met = build.transpose(build.reshape(build.matMul(left, right), [heads, dim, heads, dim]), [0, 2, 1, 3]); // A, [H,H,D,D]
    const squared = build.mul(
      build.matMul(build.unsqueeze(values, [1]), met),
      build.matMul(met, build.unsqueeze(other, [0])),
    );
    const norm = build.reduceSum(squared, [2, 3]); // [H,H]
    const size = build.mul(build.unsqueeze(written, [1]), build.unsqueeze(inner(gram(reads), other), [0]));
    const isSome = build.greater(size, 0);
    const share = build.div(build.relu(norm), build.where(isSome, size, 1));
    return build.where(isSome, build.sqrt(share), 0);
  };
  return { Q: ofKind(to.q, gram(to.k)), K: ofKind(to.k, gram(to.q)), V: ofKind(to.v, gram(flip(to.o))) };
}

showWith(CompositionScores.prototype, (scores) => {
  const { rows } = scores.sorted();
  const top = rows.slice(0, shownRows);
  const more = rows.length > shownRows ? `the ${shownRows} largest of ${rows.length} scores` : "";
  return {
    "text/plain": [scores.caption, textTable(top, columns), more].filter(Boolean).join("\n"),
    "text/html": `<p>${escapeHtml(scores.caption)}</p>${htmlTable(top, columns)}${more && `<p>${more}</p>`}`,
  };
});
