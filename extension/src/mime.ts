import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { AttentionRenderer } from "./renderer.js";

// Written out, not imported: this file is loaded when JupyterLab starts, the payload code only with the first figure.
/** Every MIME type that has a view. */
export const mimeTypes: string[] = [
  "application/vnd.attention-lab.head-grid.v1+json",
  "application/vnd.attention-lab.head-grids.v1+json",
  "application/vnd.attention-lab.curves.v1+json",
  "application/vnd.attention-lab.matrix.v1+json",
  "application/vnd.attention-lab.ablation-table.v1+json",
  "application/vnd.attention-lab.panels.v1+json",
  "application/vnd.attention-lab.scatter.v1+json",
  "application/vnd.attention-lab.image-overlay.v1+json",
  "application/vnd.attention-lab.model-diagram.v1+json",
  "application/vnd.attention-lab.head-pair.v1+json",
  "application/vnd.attention-lab.generation.v1+json",
  "application/vnd.attention-lab.token-strip.v1+json",
  "application/vnd.attention-lab.attribution-graph.v1+json",
  "application/vnd.attention-lab.audio-timeline.v1+json",
];

/** Below 50: `text/html` would win otherwise. */
export const rank = 10;

/** Draws saved figures, without a kernel and in untrusted notebooks too. */
const extension: IRenderMime.IExtension = {
  id: "attention-lab-extension:renderer",
  description: "Draws Attention Lab's figures in notebook outputs.",
  rank,
  dataType: "json",
  rendererFactory: {
    safe: true,
    mimeTypes,
    createRenderer: (options) => new AttentionRenderer(options),
  },
};

export default extension;
