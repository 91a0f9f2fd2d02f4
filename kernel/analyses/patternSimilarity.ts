import { build } from "../graph/index.js";
import type { Model, ModelInput } from "../models/index.js";
import { checkOptions, OptionError, ShapeError, showWith } from "../tensor/index.js";
import { HeadScores } from "./headScores.js";
import { headOptions, settingsOf, type HeadOptions } from "./parts/headOptions.js";
import { gridOf } from "./parts/perHead.js";
import { promptsOf, type Prompt } from "./parts/prompts.js";
import { meanOf } from "./parts/statistics.js";
import { escapeHtml, htmlTable, textTable, type Column } from "./parts/table.js";

export interface PatternSimilarityOptions extends Omit<HeadOptions, "seed"> {
  /** Prompts of another task, each as long as its twin: adds `acrossTasks`. */
  readonly other?: string | readonly string[] | ModelInput;
}

export interface PatternSimilarityParts {
  readonly title: string;
  readonly layers: readonly (readonly number[])[];
  readonly heads: readonly (readonly number[])[];
  readonly headCount: number;
  readonly acrossTasks?: HeadScores | undefined;
}

/** How alike attention patterns are. Immutable; shows itself as a table, layers × layers. */
export class PatternSimilarity {
  readonly title: string;
  /** [layer][layer]: of the mean patterns of the layers. */
  readonly layers: readonly (readonly number[])[];
  /** [layer · H + head][layer · H + head] */
  readonly heads: readonly (readonly number[])[];
  readonly headCount: number;
  /** How alike each head's patterns on a prompt and on its twin of the other task are. */
  readonly acrossTasks: HeadScores | undefined;

  constructor(parts: PatternSimilarityParts) {
    this.title = parts.title;
    this.layers = parts.layers;
    this.heads = parts.heads;
    this.headCount = parts.headCount;
    this.acrossTasks = parts.acrossTasks;
  }

  /** Of two heads; throws OptionError where one is not there. */
  of(
    a: { readonly layer: number; readonly head: number },
    b: { readonly layer: number; readonly head: number },
  ): number {
    const [first, second] = [a, b].map(({ layer, head }) => {
      const isHead = Number.isInteger(head) && head >= 0 && head < this.headCount;
      if (!isHead || !this.layers[layer]) throw new OptionError(`similarity: no layer ${layer}, head ${head}`);
      return layer * this.headCount + head;
    });
    return this.heads[first][second];
  }
}

/**
 * How alike the attention patterns of layers and of heads are, as means over prompts.
 *
 *   layers        cos(vec mean_h A^l, vec mean_h A^m)
 *   heads         cos(vec A^{l,h}, vec A^{m,i})
 *   across tasks  cos(vec A^{l,h} on a prompt, vec A^{l,h} on its twin)
 *
 * Range    0 … 1; 1 for equal patterns, 0 where one is empty
 * Throws   ShapeError unless each prompt of the other task has as many tokens as its twin
 * Source   layers: EchoAtt, arXiv:2409.14595 (it shares patterns between layers that are alike)
 */
export async function patternSimilarity(
  model: Model,
  inputs: string | readonly string[] | ModelInput,
  options: PatternSimilarityOptions = {},
): Promise<PatternSimilarity> {
  checkOptions("patternSimilarity", options, [...headOptions.filter((name) => name !== "seed"), "other"]);
  const { other, onProgress } = options;
  const prompts = promptsOf("patternSimilarity", inputs);
  const twins = other === undefined ? undefined : promptsOf("patternSimilarity", other);
  if (twins && twins.length !== prompts.length) {
    throw new ShapeError(
      `patternSimilarity: expected a prompt of the other task for each, got ${prompts.length} and ${twins.length}`,
    );
  }
  const layers: number[][][] = [];
  const heads: number[][][] = [];
  const across: number[][][] = [];
  for (const [at, prompt] of prompts.entries()) {
    const patterns = await patternsOf(model, prompt, options);
    const flat = patterns.flat();
    const means = patterns.map((ofLayer) => ofLayer[0].map((_, i) => meanOf(ofLayer.map((a) => a[i]))));
    layers.push(cosines(means));
    heads.push(cosines(flat));
    if (twins) {
      const twin = await patternsOf(model, twins[at], options);
      if (twin[0][0].length !== flat[0].length) {
        const [a, b] = [flat[0].length, twin[0][0].length].map(Math.sqrt);
        throw new ShapeError(`patternSimilarity: pair ${at} must have one length, got ${a} and ${b} tokens`);
      }
      across.push(gridOf(model, (l, h) => cosine(patterns[l][h], twin[l][h])));
    }
    onProgress?.(at + 1, prompts.length);
  }
  const mean = (found: readonly number[][][]): number[][] =>
    found[0].map((row, i) => row.map((_, j) => meanOf(found.map((each) => each[i][j]))));
  const caption = `Similarity of patterns across tasks, heads of ${model.name}, ${prompts.length} pairs`;
  return new PatternSimilarity({
    title: `Similarity of attention patterns of ${model.name}, ${prompts.length} prompts`,
    layers: mean(layers),
    heads: mean(heads),
    headCount: model.heads,
    acrossTasks:
      twins && new HeadScores({ caption, measured: { cosine: across }, provenance: async () => model.provenance() }),
  });
}

/** [layer][head] of one prompt, each pattern as one row; padding has no attention in it. */
async function patternsOf(model: Model, prompt: Prompt, options: HeadOptions): Promise<Float64Array[][]> {
  const found = await model.compute(
    prompt.times(1),
    (site) => {
      const real = build.mul(build.unsqueeze(site.real, [1, 2]), build.unsqueeze(site.real, [1, 3])); // [1,1,Q,K]
      const masked = (l: number) => build.mul(site.at(`blocks.${l}.attn.pattern`), real);
      return Object.fromEntries(Array.from({ length: model.layers }, (_, l) => [l, masked(l)]));
    },
    settingsOf(options),
  );
  return Array.from({ length: model.layers }, (_, l) =>
    Array.from({ length: model.heads }, (_h, h) => found[l].slice(0, h).numbers()),
  );
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function cosine(a: Float64Array, b: Float64Array): number {
  const size = Math.sqrt(dot(a, a) * dot(b, b));
  return size === 0 ? 0 : dot(a, b) / size;
}

function cosines(rows: readonly Float64Array[]): number[][] {
  return rows.map((a) => rows.map((b) => cosine(a, b)));
}

interface Line {
  readonly layer: number;
  readonly values: readonly number[];
}

showWith(PatternSimilarity.prototype, ({ title, layers }) => {
  const lines: Line[] = layers.map((values, layer) => ({ layer, values }));
  const columns: Column<Line>[] = [
    { name: "layer", of: ({ layer }) => layer },
    ...layers.map((_, m) => ({ name: String(m), of: ({ values }: Line) => Number(values[m].toPrecision(3)) })),
  ];
  return {
    "text/plain": `${title}\n${textTable(lines, columns)}`,
    "text/html": `<p>${escapeHtml(title)}</p>${htmlTable(lines, columns)}`,
  };
});
