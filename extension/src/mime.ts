import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
import { AttentionRenderer } from "./renderer.js";

// Written out, not imported: this file is loaded when JupyterLab starts, the payload code only with the first figure.
const mimeTypes = [
  "application/vnd.attention-lab.head-grid.v1+json",
  "application/vnd.attention-lab.head-grids.v1+json",
  "application/vnd.attention-lab.curves.v1+json",
  "application/vnd.attention-lab.matrix.v1+json",
  "application/vnd.attention-lab.ablation-table.v1+json",
  "application/vnd.attention-lab.panels.v1+json",
];

/** Draws saved figures, without a kernel and in untrusted notebooks too. */
const extension: IRenderMime.IExtension = {
  id: "attention-lab-extension:renderer",
  description: "Draws Attention Lab's figures in notebook outputs.",
  // Below 50: `text/html` would win otherwise.
  rank: 10,
  dataType: "json",
  rendererFactory: {
    safe: true,
    mimeTypes,
    createRenderer: (options) => new AttentionRenderer(options),
  },
};

export default extension;
