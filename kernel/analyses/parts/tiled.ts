import { Tensor } from "../../tensor/index.js";

/** A batch and its first row some times more. Shapes: [B,…] → [B + count,…] */
export function withCopies(x: Tensor, count: number): Tensor<"float32"> {
  const [size, ...rest] = x.shape;
  const row = x.size / size;
  const data = new Float32Array(row * (size + count));
  data.set(x.data as Float32Array);
  for (let i = size; i < size + count; i++) data.copyWithin(i * row, 0, row);
  return new Tensor("float32", [size + count, ...rest], data);
}

/** A tensor of one row as often as one likes. Shapes: [1,…] → [count,…]. */
export function tiled(x: Tensor, count: number): Tensor<"float32"> {
  return withCopies(x, count - 1);
}
