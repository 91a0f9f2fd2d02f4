import { imageOverlay, type ImageOverlayPayload } from "attention-lab/views";

const [side, rows] = [224, 14];

/** A disc on a gradient, and attention of a model that does not exist: late layers look at the disc, patches at their neighbours. */
function syntheticOverlay(): ImageOverlayPayload {
  const data = new Uint8Array(side * side * 3);
  for (let at = 0; at < side * side; at++) {
    const [x, y] = [at % side, Math.floor(at / side)];
    const isDisc = Math.hypot(x - 140, y - 90) < 52;
    data.set(isDisc ? [214, 120, 50] : [60 + y / 3, 110 + x / 4, 150], 3 * at);
  }
  const patches = rows * rows;
  const queries = ["[CLS]", ...Array.from({ length: patches }, (_, i) => `r${Math.floor(i / rows)}c${i % rows}`)];
  const maps = Array.from({ length: 12 }, (_, layer) => {
    const weights = new Float32Array(queries.length * patches);
    queries.forEach((_, query) => {
      const own = query - 1;
      let sum = 0;
      for (let patch = 0; patch < patches; patch++) {
        const [r, c] = [Math.floor(patch / rows), patch % rows];
        const disc = Math.hypot(16 * c + 8 - 140, 16 * r + 8 - 90) < 52 ? layer / 4 : 0;
        const near = own < 0 ? 0 : 3 * Math.exp(-Math.hypot(r - Math.floor(own / rows), c - (own % rows)));
        const weight = Math.exp(disc + near);
        weights[query * patches + patch] = weight;
        sum += weight;
      }
      for (let patch = 0; patch < patches; patch++) weights[query * patches + patch] /= sum;
    });
    return { name: `L${layer} mean`, layer, head: -1, weights };
  });
  const inDisc = ({ x, y }: { x: number; y: number }): number => (Math.hypot(x - 140, y - 90) < 52 ? 1 : 0);
  const mask = Array.from({ length: side * side }, (_, at) => inDisc({ x: at % side, y: Math.floor(at / side) }));
  return imageOverlay({ width: side, height: side, data }, { rows, columns: rows }, queries, maps, {
    title: "Attention of a synthetic vision transformer",
    mask: { width: side, height: side, data: mask },
    notes: ["Means over 12 heads."],
    provenance: { model: "synthetic" },
  });
}

/** Gallery examples by name. */
export const imageOverlayExamples: Readonly<Record<string, () => ImageOverlayPayload>> = { overlay: syntheticOverlay };
