import { base64Length, encodeBase64 } from "./base64.js";
import { encodeSqrt8 } from "./companding.js";
import { encodeHalf } from "./half.js";
import {
  headGridCaps,
  headGridVersion,
  type HeadGridPayload,
  type HeadGridSample,
  type LiveName,
} from "./headGridPayload.js";
import { clip } from "./heading.js";
import { headScalarNames, scalarsOfHead, specialKeysOf, type HeadMeasure, type HeadScalars } from "./headScalars.js";
import { maxPool } from "./maxPool.js";
import { bytesPerWeight, type PatternCodec } from "./patternStore.js";
import { PayloadError } from "./payloadError.js";

export { headGridMime, type HeadGridPayload, type HeadGridSample } from "./headGridPayload.js";
export { headGridText } from "./headGridText.js";
export { readHeadGrid } from "./readHeadGrid.js";

/** What `headGrid` is made from. */
export interface HeadGridInput {
  readonly title: string;
  readonly layers: number;
  readonly heads: number;
  /** True where keys after the query are masked. */
  readonly causal: boolean;
  readonly samples: readonly {
    readonly text?: string;
    readonly queryTokens: readonly string[];
    readonly keyTokens: readonly string[];
    /** How patches of a picture lie, where the last keys are such: see {@link HeadGridSample}. */
    readonly patchGrid?: { readonly rows: number; readonly columns: number };
    /** The weights of one head, [Q,K] row-major, finite and not negative. */
    readonly pattern: (layer: number, head: number) => Float32Array;
  }[];
  readonly provenance: Readonly<Record<string, string | number>>;
  /** Where a kernel finds the run again. */
  readonly live?: LiveName | undefined;
}

type InputSample = HeadGridInput["samples"][number];

/**
 * The head grid's payload: tokens, numbers per head from the full patterns, and the patterns as fine as fits.
 *
 * The first of these that fits into `budgetBytes` is stored, the same for all samples: every weight in 16 bits; every
 * weight in 8 bits on a square-root scale; the largest weight of each n × n square in 8 bits, n as small as possible.
 *
 * Range    at most `budgetBytes` (default 1 MB) of UTF-8 JSON
 * Throws   PayloadError for a pattern of the wrong length, a weight that is negative or not finite, or a budget that
 *          does not even hold the tokens and one weight per head
 */
export function headGrid(input: HeadGridInput, options: { readonly budgetBytes?: number } = {}): HeadGridPayload {
  const { budgetBytes = 1_000_000 } = options;
  checkInput(input);
  const bare: HeadGridPayload = {
    view: "head-grid",
    version: headGridVersion,
    title: clip(input.title, headGridCaps.titleLength),
    layers: input.layers,
    heads: input.heads,
    causal: input.causal,
    samples: input.samples.map((sample, index) => bareSample(input, sample, index)),
    provenance: input.provenance,
    ...(input.live ? { live: input.live } : {}),
  };
  // 64 bytes a sample cover the digits that "rows", "columns" and "block" may still gain.
  const frameBytes = utf8Length(JSON.stringify(bare)) + 64 * input.samples.length;
  const { codec, side } = chooseStorage(input, budgetBytes - frameBytes, budgetBytes);
  return {
    ...bare,
    samples: bare.samples.map((sample, index) => withPatterns(sample, input, input.samples[index], codec, side)),
  };
}

function checkInput(input: HeadGridInput): void {
  const { layers, heads, samples } = input;
  const caps = headGridCaps;
  if (!(
    layers >= 1 &&
    layers <= caps.layers &&
    heads >= 1 &&
    heads <= caps.heads &&
    layers * heads <= caps.headCount
  )) {
    throw new PayloadError(
      `head grid: expected 1…${caps.layers} layers × 1…${caps.heads} heads, at most ${caps.headCount} in all, got ${layers} × ${heads}`,
    );
  }
  if (samples.length < 1 || samples.length > caps.samples) {
    throw new PayloadError(`head grid: expected 1…${caps.samples} samples, got ${samples.length}`);
  }
  for (const [index, { queryTokens, keyTokens }] of samples.entries()) {
    if (
      Math.min(queryTokens.length, keyTokens.length) < 1 ||
      Math.max(queryTokens.length, keyTokens.length) > caps.tokens
    ) {
      throw new PayloadError(
        `head grid: expected 1…${caps.tokens} tokens in sample ${index}, got ${queryTokens.length} queries and ${keyTokens.length} keys`,
      );
    }
  }
}

function bareSample(input: HeadGridInput, sample: InputSample, index: number): HeadGridSample {
  const { queryTokens, keyTokens } = sample;
  const specialKeys = specialKeysOf(keyTokens);
  const measures: HeadMeasure[] = [];
  for (let layer = 0; layer < input.layers; layer++) {
    for (let head = 0; head < input.heads; head++) {
      const pattern = sample.pattern(layer, head);
      checkPattern(pattern, queryTokens.length, keyTokens.length, `sample ${index}, head ${layer}.${head}`);
      measures.push(scalarsOfHead(pattern, queryTokens.length, keyTokens.length, specialKeys));
    }
  }
  const column = (name: keyof HeadScalars): number[] => measures.map((measure) => Number(measure[name].toPrecision(6)));
  return {
    ...(sample.text === undefined ? {} : { text: clip(sample.text, headGridCaps.textLength) }),
    queryTokens: queryTokens.map((token) => clip(token, headGridCaps.tokenLength)),
    keyTokens: keyTokens.map((token) => clip(token, headGridCaps.tokenLength)),
    specialKeys,
    ...(sample.patchGrid ? { patchGrid: sample.patchGrid } : {}),
    scalars: Object.fromEntries(headScalarNames.map((name) => [name, column(name)])) as unknown as HeadScalars,
    patterns: { codec: "float16", rows: 0, columns: 0, block: 0, data: "" },
  };
}

function checkPattern(pattern: Float32Array, queries: number, keys: number, place: string): void {
  if (pattern.length !== queries * keys) {
    throw new PayloadError(
      `head grid: ${place}: expected ${queries} × ${keys} = ${queries * keys} weights, got ${pattern.length}`,
    );
  }
  for (let at = 0; at < pattern.length; at++) {
    if (!(pattern[at] >= 0 && pattern[at] < Infinity)) {
      throw new PayloadError(
        `head grid: ${place}: expected finite weights ≥ 0, got ${pattern[at]} at query ${Math.floor(at / keys)}, key ${at % keys}`,
      );
    }
  }
}

/** The finest storage that leaves no more than `spareBytes` of base64: a codec, and the longest side stored. */
function chooseStorage(
  input: HeadGridInput,
  spareBytes: number,
  budgetBytes: number,
): { readonly codec: PatternCodec; readonly side: number } {
  const headCount = input.layers * input.heads;
  const longest = Math.max(...input.samples.map(longestSide));
  const bytesAt = (codec: PatternCodec, side: number): number =>
    input.samples.reduce((sum, sample) => {
      const block = blockFor(sample, side);
      const cells = Math.ceil(sample.queryTokens.length / block) * Math.ceil(sample.keyTokens.length / block);
      return sum + base64Length(headCount * cells * bytesPerWeight(codec));
    }, 0);
  if (bytesAt("float16", longest) <= spareBytes) return { codec: "float16", side: longest };
  for (let block = 1; block <= longest; block++) {
    const side = Math.ceil(longest / block);
    if (bytesAt("sqrt8", side) <= spareBytes) return { codec: "sqrt8", side };
  }
  const needed = budgetBytes - spareBytes + bytesAt("sqrt8", 1);
  throw new PayloadError(
    `head grid: expected a budget of at least ${needed} bytes for these tokens and heads, got ${budgetBytes}`,
  );
}

const longestSide = (sample: InputSample): number => Math.max(sample.queryTokens.length, sample.keyTokens.length);

const blockFor = (sample: InputSample, side: number): number => Math.ceil(longestSide(sample) / side);

function withPatterns(
  bare: HeadGridSample,
  input: HeadGridInput,
  sample: InputSample,
  codec: PatternCodec,
  side: number,
): HeadGridSample {
  const queries = sample.queryTokens.length;
  const keys = sample.keyTokens.length;
  const block = blockFor(sample, side);
  const rows = Math.ceil(queries / block);
  const columns = Math.ceil(keys / block);
  const size = rows * columns * bytesPerWeight(codec);
  const bytes = new Uint8Array(input.layers * input.heads * size);
  for (let layer = 0; layer < input.layers; layer++) {
    for (let head = 0; head < input.heads; head++) {
      const index = layer * input.heads + head;
      const pooled = maxPool(sample.pattern(layer, head), queries, keys, block);
      bytes.set(codec === "float16" ? encodeHalf(pooled) : encodeSqrt8(pooled, bare.scalars.max[index]), index * size);
    }
  }
  return { ...bare, patterns: { codec, rows, columns, block, data: encodeBase64(bytes) } };
}

function utf8Length(text: string): number {
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    length += unit < 0x80 ? 1 : unit < 0x800 ? 2 : unit >= 0xd800 && unit < 0xe000 ? 2 : 3;
  }
  return length;
}
