// The pattern of one mechanism on one fixed input: a picture of 8 × 8 tokens (or a text of 64), two heads.
import { maskTensor, masks } from "../../kernel/lib/attention/index.js";
import { figureOf } from "../../kernel/lib/figure/index.js";
import { build, constant, evaluate } from "../../kernel/lib/graph/index.js";
import { random, Tensor } from "../../kernel/lib/tensor/index.js";

export const side = 8;
const [tokens, heads, channels] = [side * side, 2, 8];

/** Smooth over the picture, so that nearby tokens and repeats of them are alike: [T,D]. */
function features() {
  const draw = random(1).normal([channels, 3]).numbers();
  return Float64Array.from({ length: tokens * channels }, (_, at) => {
    const [token, c] = [Math.floor(at / channels), at % channels];
    const [row, column] = [Math.floor(token / side), token % side];
    return Math.cos(0.8 * draw[3 * c] * row + 0.8 * draw[3 * c + 1] * column + 3 * draw[3 * c + 2]);
  });
}

/** The features through a map near the identity for each head: [1,H,T,D]. */
function projected(seed, scale) {
  const x = constant(new Tensor("float64", [1, 1, tokens, channels], features()));
  const noise = random(seed).normal([1, heads, channels, channels], { deviation: 0.25, dtype: "float64" }).numbers();
  const map = Float64Array.from(
    noise,
    (n, at) => scale * (n + Number(Math.floor(at / channels) % channels === at % channels)),
  );
  return build.matMul(x, constant(new Tensor("float64", [1, heads, channels, channels], map)));
}

const filled = (shape, numbers) => constant(new Tensor("float64", shape, Float64Array.from(numbers)));
const sizeOf = (shape) => shape.reduce((a, b) => a * b, 1);

function drawn({ shape, initial }, seed) {
  if (typeof initial === "number") return filled(shape, new Array(sizeOf(shape)).fill(initial));
  return constant(random(seed).normal(shape, { deviation: initial.std, dtype: "float64" }));
}

function gateOf({ per, range: [low, high] }, seed) {
  const shape = [1, heads, tokens, ...(per === "head" ? [] : [channels])];
  const draws = random(seed)
    .uniform([sizeOf(shape)])
    .numbers();
  const isBounded = Number.isFinite(low) && Number.isFinite(high);
  return filled(
    shape,
    Array.from(draws, (x) => (isBounded ? low + (high - low) * (0.05 + 0.9 * x) : 2 * x - 1)),
  );
}

const mapped = (record, of) =>
  Object.fromEntries(Object.entries(record ?? {}).map(([name, each], at) => [name, of(each, at)]));

/** Weights of both heads side by side, and whether they are those of channels. */
function weightsOf(unit, options) {
  const sizes = { batch: 1, heads, keyHeads: heads, valueHeads: heads, queries: tokens, keys: tokens, headDim: channels, valueDim: channels }; // prettier-ignore
  const { pattern, channels: map } = unit.attend(
    {
      ...{ q: projected(2, 2), k: projected(3, 1), v: projected(4, 1) },
      ...(unit.promises.sees === "mask" ? { mask: constant(maskTensor(masks.causal(), tokens, tokens)) } : {}),
      parameters: mapped(unit.parameters?.(sizes, unit.optionsOf(options)), (spec, at) => drawn(spec, 10 + at)),
      gates: mapped(unit.gates, (spec, at) => gateOf(spec, 20 + at)),
    },
    options,
  );
  const weights = map ?? pattern;
  return { shape: weights.shape, data: evaluate({ weights })["weights"].data, isOfChannels: map !== undefined };
}

/** The picture of a mechanism as SVG text. */
export function pictureOf(unit, options) {
  const { shape, data, isOfChannels } = weightsOf(unit, options);
  const [rows, columns] = shape.slice(2);
  const gap = Math.max(1, Math.round(columns / 16));
  const width = 2 * columns + gap;
  const values = Array.from({ length: rows * width }, (_, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    if (column >= columns && column < columns + gap) return null;
    const [head, key] = column < columns ? [0, column] : [1, column - columns - gap];
    return Number(data[(head * rows + row) * columns + key].toPrecision(3)) + 0;
  });
  const [from, to] = isOfChannels ? ["channel", "read channel"] : ["query", "key"];
  const keys = Array.from({ length: columns }, (_, key) => String(key));
  const kind = values.some((value) => value < 0) ? "diverging" : "sequential";
  const payload = {
    ...{ view: "matrix", version: "1.0", title: `${unit.name}: two heads`, provenance: {}, notes: [] },
    ...{ measure: isOfChannels ? "weight of a channel" : "weight of a key", kind, values },
    rows: { name: from, labels: Array.from({ length: rows }, (_, row) => String(row)) },
    columns: { name: to, labels: [...keys, ...new Array(gap).fill(" "), ...keys] },
  };
  return `${figureOf("application/vnd.attention-lab.matrix.v1+json", payload, { widthPx: 640, scale: "sqrt" })}\n`;
}
