import {
  ablationTableMime,
  attributionGraphMime,
  audioTimelineMime,
  curvesMime,
  generationMime,
  headGridMime,
  headGridsMime,
  headPairMime,
  imageOverlayMime,
  matrixMime,
  modelDiagramMime,
  panels,
  panelsMime,
  scatterMime,
  tokenStripMime,
  type PanelsPayload,
  type PayloadMime,
  type PayloadTypes,
} from "attention-lab/views";
import { attributionGraphExamples } from "./attributionGraph.js";
import { audioTimelineExamples } from "./audioTimeline.js";
import { curvesExamples } from "./curves.js";
import { syntheticAblation, syntheticPatching, syntheticReceived } from "./effects.js";
import { generationExamples } from "./generation.js";
import { headGridExamples } from "./headGrid.js";
import { syntheticPair } from "./headGrids.js";
import { modelDiagramExamples } from "./modelDiagram.js";
import { imageOverlayExamples } from "./imageOverlay.js";
import { scatterExamples } from "./scatter.js";
import { headPairExamples } from "./headPair.js";
import { tokenStripExamples } from "./tokenStrip.js";

/** A report on a model that does not exist. */
function syntheticSinks(): PanelsPayload {
  return panels(
    "Sinks of a synthetic decoder: 2 prompts of 48 tokens, raw weights",
    [
      { name: "ε-curves", mime: curvesMime, payload: curvesExamples["steps"]() },
      { name: "layer × token", mime: matrixMime, payload: syntheticReceived() },
    ],
    { summary: ["Token 0 is “<s>” in 100 % of the prompts", "62 % of heads put more than 0.3 on token 0"] },
  );
}

/** Examples of every payload: each is drawn, tested and photographed; a payload without one does not compile. */
export const examples: { readonly [Mime in PayloadMime]: Readonly<Record<string, () => PayloadTypes[Mime]>> } = {
  [headGridMime]: headGridExamples,
  [headGridsMime]: { pair: syntheticPair },
  [curvesMime]: curvesExamples,
  [matrixMime]: { patching: syntheticPatching, received: syntheticReceived },
  [ablationTableMime]: { ablation: syntheticAblation },
  [panelsMime]: { sinks: syntheticSinks },
  [scatterMime]: scatterExamples,
  [imageOverlayMime]: imageOverlayExamples,
  [modelDiagramMime]: modelDiagramExamples,
  [headPairMime]: headPairExamples,
  [generationMime]: generationExamples,
  [tokenStripMime]: tokenStripExamples,
  [attributionGraphMime]: attributionGraphExamples,
  [audioTimelineMime]: audioTimelineExamples,
};

/** An example by its name: what it is, and its payload as a notebook holds it. */
export function example(name: string): { readonly mime: PayloadMime; readonly payload: unknown } {
  for (const [mime, named] of Object.entries(examples)) {
    const make = named[name];
    if (make) return { mime: mime as PayloadMime, payload: JSON.parse(JSON.stringify(make())) as unknown };
  }
  throw new Error(`gallery: unknown example "${name}"; known: ${exampleNames.join(", ")}`);
}

/** Every example's name. */
export const exampleNames: readonly string[] = Object.values(examples).flatMap((named) => Object.keys(named));
