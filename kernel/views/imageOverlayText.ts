import { provenanceText } from "./heading.js";
import type { ImageOverlayPayload } from "./imageOverlayPayload.js";

const shown = 5;

/**
 * A summary of several lines: the picture, its patches, and the maps with the largest weights.
 *
 * Example
 *   vit · picture of 224 × 224 · 14 × 14 patches
 *     12 maps; largest weights: L11 mean 0.31 · L3 mean 0.2
 */
export function imageOverlayText(payload: ImageOverlayPayload): string {
  const { title, picture, grid, maps, notes } = payload;
  const largest = maps.name
    .map((name, at) => ({ name, max: maps.max[at] }))
    .sort((a, b) => b.max - a.max)
    .slice(0, shown)
    .map(({ name, max }) => `${name} ${Number(max.toPrecision(3))}`);
  return [
    `${title} · picture of ${picture.width} × ${picture.height} · ${grid.rows} × ${grid.columns} patches`,
    `  ${maps.name.length} ${maps.name.length === 1 ? "map" : "maps"}; largest weights: ${largest.join(" · ")}`,
    ...notes,
    ...provenanceText(payload),
  ].join("\n");
}
