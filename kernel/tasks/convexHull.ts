import { checkOptions, OptionError, random, showWith, Tensor, wholeNumber } from "../tensor/index.js";

export interface ConvexHullOptions {
  /** Points in a row; default 5. */
  readonly points?: number;
  /** Default 0. */
  readonly seed?: number;
}

/** Rows side by side. */
export interface HullBatch {
  /** [batch, points, 2], evenly spread over the unit square. */
  readonly points: Tensor<"float32">;
  /** [batch, points + 1] int32: the corners in turn, 1 for the first point; then 0 for the end, and −1 for nothing. */
  readonly order: Tensor<"int32">;
}

type Point = readonly [x: number, y: number];

/** Twice the area to the left of a → b → c; below 0 where it turns right. */
function turn(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
}

/** Half of the hull: points in order of x of which each turns left. */
function chain(points: readonly Point[], order: readonly number[]): number[] {
  const kept: number[] = [];
  for (const i of order) {
    while (kept.length > 1 && turn(points[kept.at(-2)!], points[kept.at(-1)!], points[i]) <= 0) kept.pop();
    kept.push(i);
  }
  return kept.slice(0, -1);
}

/** Corners of the hull, counter-clockwise from that of the lowest index. Source: A. M. Andrew, Inf. Process. Lett. 9 (1979) 216. */
export function hullOf(points: readonly Point[]): readonly number[] {
  const order = points.map((_, i) => i).sort((i, j) => points[i][0] - points[j][0] || points[i][1] - points[j][1]);
  if (order.length < 3) return order.toSorted((a, b) => a - b);
  const corners = [...chain(points, order), ...chain(points, order.toReversed())];
  const first = corners.indexOf(Math.min(...corners));
  return [...corners.slice(first), ...corners.slice(0, first)];
}

/** A seeded source of points and their hulls; shows some of them. */
export class ConvexHull {
  readonly points: number;
  readonly seed: number;

  constructor({ points, seed }: Required<ConvexHullOptions>) {
    this.points = points;
    this.seed = seed;
    Object.freeze(this);
  }

  /** Batch `step`, always the same. */
  batch(step: number, size: number): HullBatch {
    const { points: count, seed } = this;
    const drawn = random(seed).fork("convexHull").fork(step).uniform([size, count, 2]) as Tensor<"float32">;
    const order = new Int32Array(size * (count + 1)).fill(-1);
    for (let row = 0; row < size; row++) {
      const points = Array.from({ length: count }, (_, i): Point => [drawn.item(row, i, 0), drawn.item(row, i, 1)]);
      order.set([...hullOf(points).map((i) => i + 1), 0], row * (count + 1));
    }
    return { points: drawn, order: new Tensor("int32", [size, count + 1], order) };
  }

  /** Some rows as a reader would want to see them: the points, corners as the number of their turn, and the order. */
  describe(count = 2): string {
    const { points, seed } = this;
    const batch = this.batch(0, count);
    const rows = Array.from({ length: count }, (_, row) => {
      const order = [...batch.order.at(row).data].filter((i) => i > 0);
      const [width, height] = [32, 8];
      const lines = Array.from({ length: height }, () => new Array<string>(width).fill(" "));
      const at = (i: number, axis: number): number => batch.points.item(row, i, axis);
      for (let i = 0; i < points; i++) {
        const x = Math.min(width - 1, Math.floor(at(i, 0) * width));
        const y = height - 1 - Math.min(height - 1, Math.floor(at(i, 1) * height));
        lines[y][x] = order.includes(i + 1) ? ((order.indexOf(i + 1) + 1) % 36).toString(36) : "·";
      }
      const list = Array.from(
        { length: points },
        (_, i) => `${i + 1} (${at(i, 0).toFixed(2)}, ${at(i, 1).toFixed(2)})`,
      );
      return [...lines.map((line) => `  |${line.join("")}|`), `  ${list.join("  ")}`, `  corners ${order.join(" → ")}`];
    });
    const head = `convexHull: ${points} points in the unit square, seed ${seed}; corners are counted in turn, · lies inside`;
    return [head, ...rows.flat()].join("\n");
  }
}

showWith(ConvexHull.prototype, (task) => ({ "text/plain": task.describe() }));

/**
 * Points in the unit square, whose corners are to be told in turn: the answer points into the input.
 *
 * Throws   OptionError on fewer than three points
 * Source   pointer networks, arXiv:1506.03134 §3.1: counter-clockwise, from the corner of the lowest index
 * Example  convexHull({ points: 5 }).batch(0, 64)
 */
export function convexHull(options: ConvexHullOptions = {}): ConvexHull {
  checkOptions("convexHull", options, ["points", "seed"]);
  const points = wholeNumber("convexHull", "points", options.points ?? 5);
  if (points < 3) throw new OptionError(`convexHull: points must be at least 3, got ${points}`);
  return new ConvexHull({ points, seed: wholeNumber("convexHull", "seed", options.seed ?? 0, 0) });
}
