import type { Model } from "../../models/index.js";
import { OptionError } from "../../tensor/index.js";

/** The layers asked for, or all; throws OptionError on one that the model lacks. */
export function layersOf(place: string, { layers }: Model, asked: readonly number[] | undefined): readonly number[] {
  const chosen = asked ?? Array.from({ length: layers }, (_, l) => l);
  const wrong = chosen.find((layer) => !Number.isInteger(layer) || layer < 0 || layer >= layers);
  if (wrong === undefined) return chosen;
  throw new OptionError(`${place}: a layer is a whole number in 0 … ${layers - 1}, got ${String(wrong)}`);
}
