import { clip, headingCaps, type Provenance } from "./heading.js";
import { modelDiagramVersion, type DiagramActivation, type ModelDiagramPayload } from "./modelDiagramPayload.js";
import { readModelDiagram } from "./readModelDiagram.js";

export {
  modelDiagramMime,
  type DiagramActivation,
  type DiagramLevel,
  type ModelDiagramPayload,
} from "./modelDiagramPayload.js";
export { modelDiagramText } from "./modelDiagramText.js";
export { readModelDiagram } from "./readModelDiagram.js";

/**
 * The payload of a model's diagram.
 *
 * Throws   PayloadError where there is nothing, or too much, to draw
 */
export function modelDiagram(
  parts: Pick<ModelDiagramPayload, "title" | "sizes" | "levels" | "notes"> & { readonly provenance?: Provenance },
): ModelDiagramPayload {
  const lines = (texts: readonly string[]): readonly string[] =>
    texts.slice(0, headingCaps.notes).map((text) => clip(text, headingCaps.textLength));
  return readModelDiagram({
    view: "model-diagram",
    version: modelDiagramVersion,
    title: clip(parts.title, headingCaps.titleLength),
    sizes: lines(parts.sizes),
    levels: parts.levels,
    notes: lines(parts.notes),
    provenance: parts.provenance ?? {},
  });
}

/** Neighbours of one part, in order: what lies on the stream, and the parts beside it. */
export function diagramParts(activations: readonly DiagramActivation[]): readonly (readonly DiagramActivation[])[] {
  const runs: DiagramActivation[][] = [];
  for (const activation of activations) {
    const last = runs.at(-1);
    if (last?.[0].part === activation.part) last.push(activation);
    else runs.push([activation]);
  }
  return runs;
}

/** Whether an activation is the residual stream itself, and not what a norm, a head or an MLP makes of it. */
export function isOnStream({ part, name }: DiagramActivation): boolean {
  return part === "" && !/(_out|normalized|_bias)$/.test(name);
}
