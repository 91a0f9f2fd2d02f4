import { isMasked, largestWeight, niceTop, visibleToken } from "attention-lab/figure";
import { readPatterns, type HeadGridPayload, type HeadGridSample, type PatternReader } from "attention-lab/views";
import type { RasterSource } from "../../draw/raster.js";

/** A head, zero-based. */
export interface HeadAddress {
  readonly layer: number;
  readonly head: number;
}

/** A drawn square of one head: a weight, or the largest weight of a block. */
export interface Square {
  readonly row: number;
  readonly column: number;
}

/** A square with everything a read-out says about it. */
export interface SquareReading extends Square {
  readonly query: string;
  readonly key: string;
  /** "0.1234", "≈ 0.12" or "≤ 0.12"; undefined where the mask hides it. */
  readonly weight: string | undefined;
  /** Place among the row's visible weights, 1 is the largest; undefined where weights are pooled. */
  readonly rank: number | undefined;
  readonly visible: number;
  /** Side of the block whose largest weight this is. */
  readonly block: number;
}

/** The payload with its patterns unpacked as they are needed. */
export interface HeadGridModel {
  readonly payload: HeadGridPayload;
  /** Weight at the upper end of the colours, the same for every head and sample. */
  readonly top: number;
  readonly sample: (index: number) => HeadGridSample;
  readonly reader: (sample: number) => PatternReader;
  readonly source: (sample: number, address: HeadAddress) => RasterSource;
  readonly read: (sample: number, address: HeadAddress, square: Square) => SquareReading;
}

/** Opens a payload for drawing and reading. */
export function headGridModel(payload: HeadGridPayload): HeadGridModel {
  const readers = new Map<number, PatternReader>();
  const sources = new Map<string, RasterSource>();
  const sample = (index: number): HeadGridSample => {
    const found = payload.samples[index];
    if (!found) throw new RangeError(`head grid: expected a sample in 0…${payload.samples.length - 1}, got ${index}`);
    return found;
  };
  const reader = (index: number): PatternReader => {
    const { patterns, scalars } = sample(index);
    const opened = readers.get(index) ?? readPatterns(patterns, payload.heads, scalars.max);
    readers.set(index, opened);
    return opened;
  };
  const source = (index: number, { layer, head }: HeadAddress): RasterSource => {
    const name = `${index}/${layer}.${head}`;
    const known = sources.get(name);
    if (known) return known;
    const { rows, columns, block, head: weightsOf } = reader(index);
    const { queryTokens, keyTokens } = sample(index);
    const opened: RasterSource = {
      weights: weightsOf(layer, head),
      rows,
      columns,
      block,
      causal: payload.causal,
      queries: queryTokens.length,
      keys: keyTokens.length,
    };
    sources.set(name, opened);
    return opened;
  };
  return {
    payload,
    top: niceTop(largestWeight(payload)),
    sample,
    reader,
    source,
    read: (index, address, square) => readSquare(sample(index), reader(index).codec, source(index, address), square),
  };
}

function readSquare(
  sample: HeadGridSample,
  codec: PatternReader["codec"],
  source: RasterSource,
  { row, column }: Square,
): SquareReading {
  const { weights, columns, block, causal, queries, keys } = source;
  const hidden = (at: number): boolean => causal && isMasked(row, at, block, queries, keys);
  const weight = weights[row * columns + column] ?? 0;
  let visible = 0;
  let larger = 0;
  for (let at = 0; at < columns; at++) {
    if (hidden(at)) continue;
    visible++;
    if ((weights[row * columns + at] ?? 0) > weight) larger++;
  }
  return {
    row,
    column,
    query: tokenSpan(sample.queryTokens, row, block),
    key: tokenSpan(sample.keyTokens, column, block),
    weight: hidden(column) ? undefined : formatWeight(weight, codec, block),
    rank: block === 1 && !hidden(column) ? larger + 1 : undefined,
    visible,
    block,
  };
}

/** The tokens under a stored row or column: one token, or the first and last of a block. */
export function tokenSpan(tokens: readonly string[], at: number, block: number): string {
  const first = visibleToken(tokens[at * block] ?? "");
  const lastIndex = Math.min((at + 1) * block, tokens.length) - 1;
  return lastIndex > at * block ? `${first} … ${visibleToken(tokens[lastIndex] ?? "")}` : first;
}

/**
 * A weight with the digits that its storage holds: 16 bits give four decimals below 0.25 and three above; 8 bits two
 * significant digits, marked ≈; a pooled weight is marked ≤, for it is the largest of its block.
 */
export function formatWeight(weight: number, codec: PatternReader["codec"], block: number): string {
  if (codec === "sqrt8") {
    return `${block > 1 ? "≤" : "≈"} ${weight === 0 ? "0" : String(Number(weight.toPrecision(2)))}`;
  }
  const exact =
    weight === 0
      ? "0"
      : weight >= 0.25
        ? weight.toFixed(3)
        : weight >= 5e-5
          ? weight.toFixed(4)
          : weight.toExponential(1);
  return block > 1 ? `≤ ${exact}` : exact;
}
