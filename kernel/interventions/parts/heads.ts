import type { Value } from "../../graph/index.js";
import { build } from "../../graph/index.js";
import type { EditSite } from "../../models/index.js";
import { OptionError, Tensor } from "../../tensor/index.js";

/** Which heads an intervention means. */
export interface HeadChoice {
  /** One layer, several, or all when left out. */
  readonly layer?: number | readonly number[];
  /** One query head, several, or all when left out. */
  readonly head?: number | readonly number[];
}

/** The addresses of one part of the attention in the chosen layers: `attn.z` in layers 3 and 5. */
export function layersAt(part: string, layer: HeadChoice["layer"]): readonly string[] {
  if (layer === undefined) return [`blocks.*.${part}`];
  return (typeof layer === "number" ? [layer] : layer).map((each) => `blocks.${each}.${part}`);
}

/**
 * 1 for the chosen ones of `count`, [count].
 *
 * Throws   OptionError on an index outside of 0 … count−1
 */
export function chosen(
  place: string,
  what: string,
  choice: number | readonly number[] | undefined,
  count: number,
): Tensor<"bool"> {
  const list = choice === undefined ? Array.from({ length: count }, (_, i) => i) : [choice].flat();
  const wrong = list.find((each) => !Number.isInteger(each) || each < 0 || each >= count);
  if (wrong !== undefined) {
    throw new OptionError(`${place}: ${what} must be a whole number in 0 … ${count - 1}, got ${String(wrong)}`);
  }
  return new Tensor(
    "bool",
    [count],
    Uint8Array.from({ length: count }, (_, i) => (list.includes(i) ? 1 : 0)),
  );
}

/** Whether a head is chosen, [1,H,1,1]. */
export function chosenHeads(place: string, { model, feed }: EditSite, head: HeadChoice["head"]): Value {
  return build.unsqueeze(feed("heads", chosen(place, "head", head, model.heads)), [0, 2, 3]);
}

/** `replacement` for the chosen heads, `value` bit for bit for the others. Shapes: value [B,H,…,…]. */
export function inHeads(
  place: string,
  site: EditSite,
  head: HeadChoice["head"],
  value: Value,
  replacement: Value | number,
): Value {
  return build.where(chosenHeads(place, site, head), replacement, value);
}

/** A number as an input of the graph, so that another number needs no new graph, []. */
export function number({ feed }: EditSite, name: string, x: number): Value {
  return feed(name, new Tensor("float32", [], Float32Array.of(x)));
}

/** Throws OptionError unless x is a finite number for which the rule holds. */
export function checkNumber(
  place: string,
  name: string,
  x: unknown,
  rule: string,
  holds: (x: number) => boolean,
): void {
  if (typeof x !== "number" || !Number.isFinite(x) || !holds(x)) {
    throw new OptionError(`${place}: ${name} must be ${rule}, got ${String(x)}`);
  }
}
