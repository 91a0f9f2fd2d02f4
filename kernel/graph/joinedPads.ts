import type { Build } from "./builder.js";
import { numberOf, numbersOf } from "./op.js";
import type { Value } from "./value.js";

interface Part {
  readonly inner: Value;
  readonly axis: number;
  /** Where the part begins and ends on its axis, and how long the axis is. */
  readonly bounds: readonly [from: number, to: number, whole: number];
}

/** What a Pad with zeros along one axis holds, and where. */
function partOf({ op, attributes, inputs: [inner], shape }: Value): Part | undefined {
  if (op !== "Pad") return undefined;
  const pads = numbersOf(attributes, "pads");
  const rank = shape.length;
  const [axis, ...others] = shape.map((_, i) => i).filter((i) => pads[i] !== 0 || pads[i + rank] !== 0);
  const length = inner.shape[axis];
  if (others.length > 0 || typeof length !== "number") return undefined;
  return { inner, axis, bounds: [pads[axis], pads[axis] + length, pads[axis] + length + pads[axis + rank]] };
}

/**
 * a + b where both are zero outside of neighbouring stretches of one axis: the stretches joined, not added.
 * The derivatives of slices meet like this, those of queries, keys and values of one product among them.
 * Undefined where they do not.
 */
export function joinedPads(build: Build, a: Value, b: Value): Value | undefined {
  const [left, right] = [partOf(a), partOf(b)];
  if (!left || !right || left.axis !== right.axis) return undefined;
  const { axis } = left;
  const [first, second] = left.bounds[0] < right.bounds[0] ? [left, right] : [right, left];
  if (first.bounds[1] !== second.bounds[0]) return undefined;
  // What was joined before is taken apart: each part is copied once.
  const parts = [first, second].flatMap(({ inner }) => {
    return inner.op === "Concat" && numberOf(inner.attributes, "axis") === axis ? inner.inputs : [inner];
  });
  const joined = build.concat(parts, axis);
  const [before, after] = [first.bounds[0], second.bounds[2] - second.bounds[1]];
  if (before === 0 && after === 0) return joined;
  return build.pad(
    joined,
    joined.shape.map((_, i) => (i === axis ? [before, after] : [0, 0])),
  );
}
