import { isMasked, largestWeight, niceTop, visibleToken } from "attention-lab/figure";
import { readPatterns, type HeadGridPayload, type HeadGridSample, type PatternReader } from "attention-lab/views";
import type { RasterShape, RasterSource } from "../../draw/raster.js";
import { createByteCache } from "../../link/byteCache.js";
import { preferences } from "../../preferences.js";

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
  /** Side of the block whose largest weight this is; 1 where it is known exactly. */
  readonly block: number;
  /** Side of the block that is drawn as one square. */
  readonly largestOf: number;
}

/** The payload with its patterns unpacked as they are needed. */
export interface HeadGridModel {
  readonly payload: HeadGridPayload;
  /** Weight at the upper end of the colours, the same for every head and sample. */
  readonly top: number;
  readonly sample: (index: number) => HeadGridSample;
  readonly reader: (sample: number) => PatternReader;
  readonly shape: (sample: number) => RasterShape;
  readonly source: (sample: number, address: HeadAddress) => RasterSource;
  readonly read: (sample: number, address: HeadAddress, square: Square) => SquareReading;
  /** One head as fine as it is known: as the kernel sent it, else as it is stored. */
  readonly fine: (sample: number, address: HeadAddress) => FineSource;
  readonly readFine: (sample: number, address: HeadAddress, square: Square) => SquareReading;
  /** Keeps a head that the kernel sent; the least recently used ones give way. */
  readonly keepTile: (
    sample: number,
    address: HeadAddress,
    tile: Pick<RasterSource, "weights" | "rows" | "columns" | "block">,
  ) => void;
  /** Keeps a weight as the run holds it. */
  readonly keepWeight: (sample: number, address: HeadAddress, square: Square, weight: ExactWeight) => void;
}

/** One head's weights and how they are coded. */
export interface FineSource {
  readonly source: RasterSource;
  readonly codec: PatternReader["codec"];
}

/** The largest weight of a square in full precision: where it is, and its rank in its row. */
export interface ExactWeight {
  readonly query: number;
  readonly key: number;
  readonly weight: number;
  readonly rank: number;
}

/** Heads that are pointed at or opened, unpacked. */
const sourceBytes = 1 << 20;
const tileBytes = 64 << 20;
const exactBytes = 1 << 20;

/** Opens a payload for drawing and reading. */
export function headGridModel(payload: HeadGridPayload): HeadGridModel {
  const readers = new Map<number, PatternReader>();
  const sources = createByteCache<RasterSource>(sourceBytes);
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
  const shape = (index: number): RasterShape => {
    const { rows, columns, block } = reader(index);
    const { queryTokens, keyTokens } = sample(index);
    return { rows, columns, block, causal: payload.causal, queries: queryTokens.length, keys: keyTokens.length };
  };
  const source = (index: number, { layer, head }: HeadAddress): RasterSource => {
    const name = `${index}/${layer}.${head}`;
    const known = sources.get(name);
    if (known) return known;
    const opened: RasterSource = { weights: reader(index).head(layer, head), ...shape(index) };
    sources.set(name, opened, opened.weights.byteLength);
    return opened;
  };
  const tiles = createByteCache<FineSource>(tileBytes);
  const exact = createByteCache<ExactWeight>(exactBytes);
  const nameOf = (index: number, { layer, head }: HeadAddress): string => `${index}/${layer}.${head}`;
  const exactName = (index: number, address: HeadAddress, { row, column }: Square, block: number): string =>
    `${nameOf(index, address)}/${block}/${row},${column}`;
  const fine = (index: number, address: HeadAddress): FineSource =>
    tiles.get(nameOf(index, address)) ?? { source: source(index, address), codec: reader(index).codec };
  return {
    fine,
    readFine(index, address, square) {
      const { source: found, codec } = fine(index, address);
      const known = exact.get(exactName(index, address, square, found.block));
      return readSquare(sample(index), codec, found, square, known);
    },
    keepTile(index, address, tile) {
      const known = { source: { ...source(index, address), ...tile }, codec: "float16" } as const;
      tiles.set(nameOf(index, address), known, tile.weights.byteLength);
    },
    keepWeight: (index, address, square, weight) =>
      exact.set(exactName(index, address, square, fine(index, address).source.block), weight, 64),
    payload,
    top: niceTop(largestWeight(payload)),
    sample,
    reader,
    shape,
    source,
    read: (index, address, square) => readSquare(sample(index), reader(index).codec, source(index, address), square),
  };
}

function readSquare(
  sample: HeadGridSample,
  codec: PatternReader["codec"],
  source: RasterSource,
  { row, column }: Square,
  exact?: ExactWeight,
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
  if (exact && !hidden(column)) {
    return {
      row: exact.query,
      column: exact.key,
      query: tokenSpan(sample.queryTokens, exact.query, 1),
      key: tokenSpan(sample.keyTokens, exact.key, 1),
      weight: exactText(exact.weight),
      rank: exact.rank,
      visible: causal ? Math.min(keys, exact.query + 1 + keys - queries) : keys,
      block: 1,
      largestOf: block,
    };
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
    largestOf: block,
  };
}

/** A weight as the run holds it, with the digits that the settings ask for. */
export function exactText(weight: number): string {
  const { digits } = preferences();
  return weight !== 0 && weight < 1e-4 ? weight.toExponential(digits - 1) : String(Number(weight.toPrecision(digits)));
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
