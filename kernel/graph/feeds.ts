import type { DType } from "../tensor/index.js";
import { formatShape, knownNames, OptionError, ShapeError } from "../tensor/index.js";
import type { Value } from "./value.js";

/** What must be known of a tensor that is fed. */
export interface FedForm {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** The name under which a graph input is fed. */
export function inputName({ source }: Value): string {
  return source?.kind === "input" ? source.name : "";
}

/**
 * Sizes of the axis words, taken from what is fed.
 *
 * Throws   OptionError on a missing feed; ShapeError where dtype, rank or sizes disagree
 */
export function bindFeeds(inputs: readonly Value[], feeds: Readonly<Record<string, FedForm>>): Record<string, number> {
  const sizes: Record<string, number> = {};
  const givenBy: Record<string, string> = {};
  for (const value of inputs) {
    const { shape, dtype } = value;
    const name = inputName(value);
    const fed = Object.hasOwn(feeds, name) ? feeds[name] : undefined;
    if (!fed) throw new OptionError(`run: no feed for input "${name}"${knownNames(name, Object.keys(feeds))}`);
    if (fed.dtype !== dtype || fed.shape.length !== shape.length) {
      throw new ShapeError(
        `run: input "${name}" must be ${formatShape(shape)} ${dtype}, got ${formatShape(fed.shape)} ${fed.dtype}`,
      );
    }
    shape.forEach((dim, axis) => {
      const size = fed.shape[axis];
      const expected = typeof dim === "number" ? dim : (sizes[dim] ?? size);
      if (size !== expected) {
        const origin = typeof dim === "string" ? ` (axis "${dim}" is ${expected} in "${givenBy[dim]}")` : "";
        throw new ShapeError(
          `run: input "${name}" must be ${formatShape(shape)}, got ${formatShape(fed.shape)}${origin}`,
        );
      }
      if (typeof dim === "string" && !(dim in sizes)) {
        sizes[dim] = size;
        givenBy[dim] = name;
      }
    });
  }
  return sizes;
}
