import type { InBlocks, Value } from "../graph/index.js";
import { inBlocks } from "../graph/index.js";
import { OptionError, UnsupportedError } from "../tensor/index.js";
import type { ComputeOptions } from "./options.js";
import type { Site } from "./site.js";

/** Patterns of one layer beyond so many bytes are evaluated in blocks. */
const wholeLimit = 64e6;

/** Bytes that the patterns of one block may take: larger blocks cost memory, as probes make some ten tables of that size, smaller ones time. */
const blockBytes = 2 ** 24;

/** Into so many parts queries are divided that do not read the keys after them: (n + 1) / 2n of all pairs are computed. */
const causalParts = 16;

/** Queries per block of all that comes after attention: weights are read once per block. */
const rowsAlone = 128;

/** Beyond so many numbers in all patterns (about a second) a run goes piece by piece: see {@link QueryBlocks.isLong}. */
const longWork = 1e8;

/** A graph over blocks of queries. */
export interface QueryBlocks extends InBlocks {
  /** Whether it is to run piece by piece, so that it can be interrupted and only what is needed is held. */
  readonly isLong: boolean;
}

/** The residual stream: what is kept from layer to layer; all else between two attentions follows from it. */
const residual = /resid_(pre|post)$/;

/**
 * A run over blocks of queries, where it is asked for or would be large; the run as it is elsewhere.
 *
 * Throws   OptionError on a number of queries that is none; UnsupportedError where blocks are asked for and something
 *          needs a whole pattern
 */
export function overQueries(
  outputs: Readonly<Record<string, Value>>,
  { model, batch, real }: Pick<Site, "model" | "batch" | "real">,
  { queriesPerBlock: asked, onProgress }: Pick<ComputeOptions, "queriesPerBlock" | "onProgress">,
  device: string,
): QueryBlocks {
  const word = real.shape[1];
  if (asked !== undefined && asked !== Infinity && !(Number.isInteger(asked) && asked >= 1)) {
    throw new OptionError(`queriesPerBlock: expected a whole number of at least 1, or Infinity, got ${String(asked)}`);
  }
  const plain = { outputs, feeds: {}, joins: [], isLong: false };
  const { size, length } = batch;
  const perQuery = 4 * size * model.heads * length;
  if (typeof word === "number" || asked === Infinity) return plain;
  if (asked === undefined && perQuery * length <= wholeLimit) return plain;
  const rows = asked ?? Math.max(8, 2 ** Math.floor(Math.log2(blockBytes / perQuery)));
  try {
    const keep = ({ label = "" }: Value): boolean => residual.test(label);
    // Where each query sees a key, if only itself: one that is padding may see none, and then attends to all alike.
    const parts = batch.attentionMask.every((isReal) => isReal === 1) ? causalParts : 1;
    const isWatched = onProgress !== undefined || perQuery * length * model.layers > 4 * longWork;
    const isLong = isWatched && device === "cpu";
    // A graph in one piece is written and loaded as a whole: there, loops of their own cost more than they save.
    const own = isLong ? { rowsAlone } : {};
    return { ...inBlocks(outputs, { word, length, rows, keep, parts, ...own, fixed: device !== "cpu" }), isLong };
  } catch (error) {
    if (asked === undefined && error instanceof UnsupportedError) return plain;
    throw error;
  }
}
