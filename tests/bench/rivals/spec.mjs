// What every side of the comparison computes: shapes, first weights and data, all from one seed.
import { random } from "../../../kernel/lib/tensor/index.js";

/** Transformers that are trained: a step of Adam on the cross entropy of the next token. */
export const trained = {
  S: { layers: 1, width: 64, heads: 4, vocab: 64, batch: 8, length: 32 },
  M: { layers: 2, width: 128, heads: 4, vocab: 64, batch: 16, length: 64 },
};
export const adam = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
export const gpt2 = { layers: 12, width: 768, heads: 12, vocab: 50257, positions: 1024 };

/** Names and shapes of all weights, in the order in which they lie in one block of numbers; [in, out] for products. */
export function weightsOf({ layers, width, vocab, length, positions = length }) {
  const block = (i) => [
    [`${i}.ln1.g`, [width]],
    [`${i}.ln1.b`, [width]],
    [`${i}.qkv.w`, [width, 3 * width]],
    [`${i}.qkv.b`, [3 * width]],
    [`${i}.out.w`, [width, width]],
    [`${i}.out.b`, [width]],
    [`${i}.ln2.g`, [width]],
    [`${i}.ln2.b`, [width]],
    [`${i}.up.w`, [width, 4 * width]],
    [`${i}.up.b`, [4 * width]],
    [`${i}.down.w`, [4 * width, width]],
    [`${i}.down.b`, [width]],
  ];
  return [
    ["embed", [vocab, width]],
    ["position", [positions, width]],
    ...Array.from({ length: layers }, (_, i) => block(i)).flat(),
    ["ln.g", [width]],
    ["ln.b", [width]],
  ];
}

export const sizeOf = (shape) => shape.reduce((product, dim) => product * dim, 1);

/** First weights: small random numbers, 1 for the scales of norms. A short period keeps the making of many cheap. */
export function firstWeights(spec) {
  const noise = random(1).normal([9973], { deviation: 0.02 }).data;
  let at = 0;
  const flat = new Float32Array(weightsOf(spec).reduce((sum, [, shape]) => sum + sizeOf(shape), 0));
  for (const [name, shape] of weightsOf(spec)) {
    const end = at + sizeOf(shape);
    if (name.endsWith(".g")) flat.fill(1, at, end);
    else if (!name.endsWith(".b")) for (let i = at; i < end; i++) flat[i] = noise[(i * 31 + (i >>> 13)) % 9973];
    at = end;
  }
  return flat;
}

/** Token ids and the ids that follow them. */
export function tokensOf({ batch, length, vocab }) {
  const rows = random(2).integers([batch, length + 1], { high: vocab }).data;
  const cut = (from) =>
    Int32Array.from(
      { length: batch * length },
      (_, i) => rows[Math.floor(i / length) * (length + 1) + (i % length) + from],
    );
  return { ids: cut(0), targets: cut(1) };
}
