import { UnsupportedError } from "../tensor/index.js";
import type { FieldsOf } from "./config.js";
import { maybe, words } from "./config.js";

/** How far a layer sees. */
export type LayerType = "full_attention" | "sliding_attention";

export const layerTypes: FieldsOf<{ layer_types: readonly LayerType[] | null }>["layer_types"] = maybe(
  words<LayerType>(["full_attention", "sliding_attention"]),
);

/**
 * The window of each layer: as the config lists it, or by the family's own rule.
 *
 * Throws   UnsupportedError unless the list has one entry per layer
 */
export function windowsOf(
  family: string,
  layers: number,
  listed: readonly LayerType[] | null,
  window: number | null,
  isSliding: (layer: number) => boolean,
): (layer: number) => number | undefined {
  if (listed && listed.length !== layers) {
    throw new UnsupportedError(`${family}: layer_types must have ${layers} entries, got ${listed.length}`);
  }
  if (listed?.includes("sliding_attention") && window === null) {
    throw new UnsupportedError(`${family}: layer_types names sliding_attention, but sliding_window is null`);
  }
  return (layer) =>
    (listed ? listed[layer] === "sliding_attention" : isSliding(layer)) ? (window ?? undefined) : undefined;
}
