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

export interface JoinedRows<R extends ChangedRow> {
  readonly prompt: Prompt;
  /** Of the prompt in its list. */
  readonly index: number;
  readonly metric: PromptMetric;
  /** What the first of the rows' layers reads in the run that is changed, [1,Q,M]. */
  readonly stream: Tensor;
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

/** The residual stream that a layer reads. */
export const streamOf = (layer: number): string => `blocks.${layer}.resid_pre`;

/**
 * Layers whose stream is all that a metric has of the layers below: what is changed there may be carried past them.
 *
 * Range    without those below which the metric, or a later layer, reads something else than the stream
 */
export function separateLayers(site: Site, metric: Value, layers: readonly number[]): ReadonlySet<number> {
  const [first, ...later] = layers.toSorted((a, b) => a - b).map((layer) => [layer, site.at(streamOf(layer))] as const);
  return new Set(later.filter(([, stream]) => !dependsOn([metric], [first[1]], stream)).map(([layer]) => layer));
}

/** Rows, from the lowest layer on, in parts that ride together: between their layers nothing but the stream is read. */
export function chunksOf<R extends ChangedRow>(
  rows: readonly R[],
  separate: ReadonlySet<number>,
): readonly (readonly R[])[] {
  const chunks: R[][] = [];
  for (const row of rows) {
    const last = chunks.at(-1);
    const fits = last && last.length < rowsPerBatch && (last.at(-1)!.layer === row.layer || separate.has(row.layer));
    if (fits) last.push(row);
    else chunks.push([row]);
  }
  return chunks;
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
  { prompt, index, metric, rows, edits, settings, onProgress, ...from }: JoinedRows<R>,
): Promise<readonly number[]> {
  let stream = from.stream;
  let done = 0;
  for (;;) {
    const { layer } = rows[done];
    const own = rows.filter((row) => row.layer === layer);
    stream = withCopies(stream, own.length);
    done += own.length;
    const size = stream.shape[0];
    const next = rows.at(done)?.layer;
    const { found } = await model.compute(
      prompt.times(size),
      (site) => ({
        found: next === undefined ? metric.write(site, new Array<number>(size).fill(index)) : site.at(streamOf(next)),
      }),
      { ...settings, interventions: [replace({ at: streamOf(layer), with: stream }), ...edits(layer, own, size)] },
    );
    if (next === undefined) {
      const [unchanged, ...changed] = numbersOf(place, metric, found, size);
      return changed.map((each) => each - unchanged);
    }
    onProgress?.(done / rows.length);
    stream = found;
  }
}
