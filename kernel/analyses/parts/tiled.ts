import { Tensor } from "../../tensor/index.js";

/** A tensor of one row as often as one likes. Shapes: [1,…] → [count,…]. */
export function tiled(x: Tensor, count: number): Tensor<"float32"> {
  const data = new Float32Array(x.size * count);
  for (let i = 0; i < count; i++) data.set(x.data as Float32Array, i * x.size);
  return new Tensor("float32", [count, ...x.shape.slice(1)], data);
}
