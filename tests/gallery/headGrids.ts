import { headGrid, headGrids, type HeadGridsPayload } from "attention-lab/views";
import { syntheticPattern } from "./headGrid.js";

const read = ["Das", "Haus", "ist", "klein", ".", "</s>"];
const written = ["<s>", "The", "house", "is"];

/** The grids of an encoder–decoder model that does not exist: 2 × 3 heads that read, 3 × 2 that write. */
export function syntheticPair(): HeadGridsPayload {
  const stack = (name: string, causal: boolean, queryTokens: string[], keyTokens: string[]) => {
    const [layers, heads] = name === "encoder" ? [2, 3] : [3, 2];
    const pattern = (layer: number, head: number): Float32Array =>
      syntheticPattern(queryTokens.length, keyTokens.length, causal, [], layer * 101 + head);
    const samples = [{ text: "Das Haus ist klein.", queryTokens, keyTokens, pattern }];
    const provenance = { model: "synthetic, seed 1" };
    return { name, grid: headGrid({ title: `Synthetic · ${name}`, layers, heads, causal, samples, provenance }) };
  };
  return headGrids("Synthetic", [
    stack("encoder", false, read, read),
    stack("decoder", true, written, written),
    stack("cross", false, written, read),
  ]);
}
