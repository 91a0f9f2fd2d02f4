import type { ComputeOptions, Model } from "../models/index.js";
import { checkOptions, knownNames, OptionError, type Tensor } from "../tensor/index.js";
import { HeadScores } from "./headScores.js";
import { headWeights, weightForms, type WeightForm } from "./parts/headWeights.js";
import { layersOf } from "./parts/layers.js";
import { svdOfProduct, type Columns, type Svd } from "./parts/svd.js";

/** What a head writes of what it reads, or what it looks for. */
export type Circuit = "OV" | "QK";

export interface HeadSpectraOptions {
  /** `"OV"` (default): W_V W_O; `"QK"`: W_Q W_Kᵀ. */
  readonly of?: Circuit;
  /** Default `"raw"`; see `compositionScores`. */
  readonly weights?: WeightForm;
  /** Default all. */
  readonly layers?: readonly number[];
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

/** Singular values of heads, with the directions of the residual stream that belong to them. */
export interface HeadSpectra {
  /** The largest singular value, the norm, the share of the first in its square, and the effective rank, head by head. */
  readonly scores: HeadScores;
  /**
   * Of one head: values, largest first; `left` are the directions that W_V or W_Q reads, `right` those that W_O writes or W_K reads.
   *
   * Throws   OptionError on a head that was not asked for
   */
  readonly at: (layer: number, head: number) => Svd;
}

/**
 * Singular values of the matrices by which heads read and write, from their factors.
 *
 *   W_V W_O = U S Vᵀ, or W_Q W_Kᵀ = U S Vᵀ
 *   effective rank   exp(−Σ p ln p), p = s / Σ s
 *
 * Range    D values per head; positions that turn queries and keys are left out
 * Throws   OptionError on an unknown circuit, form or layer; UnsupportedError where heads share one output
 * Source   Elhage et al., "A Mathematical Framework for Transformer Circuits" (2021); effective rank: Roy and Vetterli (2007) eq. 4
 * Example  (await headSpectra(model, { of: "OV" })).at(5, 1).values
 */
export async function headSpectra(model: Model, options: HeadSpectraOptions = {}): Promise<HeadSpectra> {
  checkOptions("headSpectra", options, ["of", "weights", "layers", "signal"]);
  const { of = "OV", weights = "raw", signal } = options;
  const circuits: readonly Circuit[] = ["OV", "QK"];
  if (!circuits.includes(of)) throw new OptionError(`headSpectra: unknown circuit "${of}"${knownNames(of, circuits)}`);
  if (!weightForms.includes(weights)) {
    throw new OptionError(`headSpectra: unknown weights "${String(weights)}"${knownNames(weights, weightForms)}`);
  }
  const layers = layersOf("headSpectra", model, options.layers);
  const found = new Map<number, readonly Svd[]>();
  for (const layer of layers) {
    const { q, k, v, o } = await headWeights(model, layer, weights, signal ? { signal } : {});
    const spectra = Array.from({ length: model.heads }, (_, head) =>
      of === "OV"
        ? svdOfProduct(columnsOf(v.slice(head)), rowsOf(o.slice(head)))
        : svdOfProduct(columnsOf(q.slice(head)), columnsOf(k.slice(head))),
    );
    found.set(layer, spectra);
  }
  const measured = (score: (values: readonly number[]) => number): number[][][] => [
    Array.from({ length: model.layers }, (_, l) =>
      Array.from({ length: model.heads }, (_h, h) => (found.has(l) ? score(found.get(l)![h].values) : NaN)),
    ),
  ];
  const norm = (values: readonly number[]): number => Math.hypot(...values);
  const scores = new HeadScores({
    caption: `Singular values of ${of} of heads of ${model.name}, ${weights} weights`,
    measured: {
      largest: measured(([first]) => first),
      norm: measured(norm),
      "first share": measured((values) => (norm(values) === 0 ? 0 : (values[0] / norm(values)) ** 2)),
      "effective rank": measured(effectiveRank),
    },
    provenance: async () => model.provenance(),
  });
  return {
    scores,
    at: (layer, head) => {
      const spectrum = found.get(layer)?.[head];
      if (!spectrum)
        throw new OptionError(`head spectra: no layer ${layer}, head ${head}; known: layers ${layers.join(", ")}`);
      return spectrum;
    },
  };
}

function effectiveRank(values: readonly number[]): number {
  const sum = values.reduce((total, s) => total + s, 0);
  if (sum === 0) return 0;
  return Math.exp(-values.reduce((total, s) => total + (s === 0 ? 0 : (s / sum) * Math.log(s / sum)), 0));
}

/** [M,D] → D columns of M. */
function columnsOf(x: Tensor): Columns {
  return rowsOf(x.transpose());
}

function rowsOf(x: Tensor): Columns {
  return [...x.rows()].map((row) => row.numbers());
}
