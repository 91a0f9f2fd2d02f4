import { replace } from "../../interventions/index.js";
import type { Value } from "../../graph/index.js";
import type { ComputeOptions, GraphEdit, Model, Site } from "../../models/index.js";
import type { Tensor } from "../../tensor/index.js";
import { dependsOn } from "./dependsOn.js";
import { numbersOf, type PromptMetric } from "./metric.js";
import type { Prompt } from "./prompts.js";
import { withCopies } from "./tiled.js";

/** A version of a prompt that is changed in one layer. */
export interface ChangedRow {
  readonly layer: number;
}

/**
 * What of a layer is carried to it, all that its rows are changed in or after: the stream that it reads and, where nothing
 * before the heads' outputs is changed, those too, so that they are not computed for copies.
 */
export type Carried = readonly ("resid_pre" | "attn.z")[];

export interface JoinedRows<R extends ChangedRow> {
  readonly prompt: Prompt;
  /** Of the prompt in its list. */
  readonly index: number;
  readonly metric: PromptMetric;
  readonly carried: Carried;
  /** What {@link startsOf} names, in the run that is changed, each [1,…]. */
  readonly starts: Readonly<Record<string, Tensor>>;
  /** One of {@link chunksOf}. */
  readonly rows: readonly R[];
  /** What changes the rows of a layer, which are the last of a batch of `size`. */
  readonly edits: (layer: number, own: readonly R[], size: number) => readonly GraphEdit[];
  readonly settings: ComputeOptions;
  /** Called after each layer but the last with the share that is done. */
  readonly onProgress?: (share: number) => void;
}

/** The most changed rows in one batch. */
const rowsPerBatch = 64;

/** The address of a part of a layer. */
export const partOf = (layer: number, part: string): string => `blocks.${layer}.${part}`;

/** The residual stream that a layer reads. */
export const streamOf = (layer: number): string => partOf(layer, "resid_pre");

/**
 * Layers whose stream is all that a metric has of the layers below: what is changed there may be carried past them.
 *
 * Range    without those below which the metric, or a later layer, reads something else than the stream
 */
function separateLayers(site: Site, metric: Value, layers: readonly number[]): ReadonlySet<number> {
  const [first, ...later] = layers.toSorted((a, b) => a - b).map((layer) => [layer, site.at(streamOf(layer))] as const);
  return new Set(later.filter(([, stream]) => !dependsOn([metric], [first[1]], stream)).map(([layer]) => layer));
}

/** Rows, from the lowest layer on, in parts that ride together: between their layers nothing but the stream is read. */
export function chunksOf<R extends ChangedRow>(
  rows: readonly R[],
  site: Site,
  metric: Value,
): readonly (readonly R[])[] {
  const separate = separateLayers(site, metric, [...new Set(rows.map(({ layer }) => layer))]);
  const chunks: R[][] = [];
  for (const row of rows.toSorted((a, b) => a.layer - b.layer)) {
    const last = chunks.at(-1);
    const fits = last && last.length < rowsPerBatch && (last.at(-1)!.layer === row.layer || separate.has(row.layer));
    if (fits) last.push(row);
    else chunks.push([row]);
  }
  return chunks;
}

/** The addresses that {@link runJoined} begins with. */
export function startsOf(chunks: readonly (readonly ChangedRow[])[], carried: Carried): readonly string[] {
  return chunks.flatMap(([{ layer }]) => carried.map((part) => partOf(layer, part)));
}

/**
 * How much a metric of one prompt differs in each of many versions. They ride in one batch that goes up layer by layer, and
 * join it where they begin to differ: each layer's weights are read once, and nothing is computed twice. The batch's first row
 * is not changed: the others are told from it.
 *
 * Shapes   one number per row
 */
export async function runJoined<R extends ChangedRow>(
  place: string,
  model: Model,
  { prompt, index, metric, carried, starts, rows, edits, settings, onProgress }: JoinedRows<R>,
): Promise<readonly number[]> {
  let state = carried.map((part) => starts[partOf(rows[0].layer, part)]);
  let done = 0;
  for (;;) {
    const { layer } = rows[done];
    const own = rows.filter((row) => row.layer === layer);
    state = state.map((x) => withCopies(x, own.length));
    done += own.length;
    const size = done + 1;
    const next = rows.at(done)?.layer;
    const { value, ...found } = await model.compute(
      prompt.times(size),
      (site) =>
        next === undefined
          ? { value: metric.write(site, new Array<number>(size).fill(index)) }
          : Object.fromEntries(carried.map((part) => [part, site.at(partOf(next, part))])),
      {
        ...settings,
        interventions: [
          ...carried.map((part, i) => replace({ at: partOf(layer, part), with: state[i] })),
          ...edits(layer, own, size),
        ],
      },
    );
    if (next === undefined) {
      const [unchanged, ...changed] = numbersOf(place, metric, value, size);
      return changed.map((each) => each - unchanged);
    }
    onProgress?.(done / rows.length);
    state = carried.map((part) => found[part]);
  }
}
