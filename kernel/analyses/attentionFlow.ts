import type { Model, ModelInput } from "../models/index.js";
import { checkOptions, OptionError, ShapeError } from "../tensor/index.js";
import { headOptions, type HeadOptions } from "./parts/headOptions.js";
import { addEdge, flowNetwork, maxFlow } from "./parts/maxFlow.js";
import { mixedAttention } from "./parts/mixedAttention.js";
import { promptsOf } from "./parts/prompts.js";
import { TokenFlow, type FlowSample } from "./tokenFlow.js";

export interface AttentionFlowOptions extends Omit<HeadOptions, "seed"> {
  /** After which layers: the last one when left out. */
  readonly layers?: readonly number[];
}

/** Beyond this many tokens the flows take longer than anyone waits: they grow with the fourth power. */
const longest = 64;

/**
 * How much can flow from each position down to each input token, when every attention weight is the width of a pipe.
 *
 *   F_l[q, k] = max flow from (l, q) to (input, k) over edges of capacity Â, divided by its row sum
 *
 * Range    rows sum to 1; O(T²) flows for each layer
 * Throws   OptionError on a layer that is not there; ShapeError on prompts of more than 64 tokens
 * Source   arXiv:2005.00928 §3.2
 */
export async function attentionFlow(
  model: Model,
  inputs: string | readonly string[] | ModelInput,
  options: AttentionFlowOptions = {},
): Promise<TokenFlow> {
  checkOptions("attentionFlow", options, [...headOptions.filter((name) => name !== "seed"), "layers"]);
  const { layers: wanted = [model.layers - 1], onProgress } = options;
  const wrong = wanted.find((layer) => !Number.isInteger(layer) || layer < 0 || layer >= model.layers);
  if (wrong !== undefined || wanted.length === 0) {
    throw new OptionError(
      `attentionFlow: layers must be whole numbers in 0 … ${model.layers - 1}, got ${wanted.join(", ") || "none"}`,
    );
  }
  const prompts = promptsOf("attentionFlow", inputs);
  const samples: FlowSample[] = [];
  for (const [at, prompt] of prompts.entries()) {
    const { tokens, layers } = await mixedAttention(model, prompt, options);
    const length = tokens.length;
    if (length > longest) {
      throw new ShapeError(`attentionFlow: expected at most ${longest} tokens, got ${length} in prompt ${at}`);
    }
    const network = flowNetwork((layers.length + 1) * length);
    layers.forEach((mixed, layer) =>
      mixed.forEach((row, q) =>
        row.forEach((width, k) => {
          if (width > 0) addEdge(network, (layer + 1) * length + q, layer * length + k, width);
        }),
      ),
    );
    const found: Float64Array[][] = [];
    for (const layer of wanted) {
      const rows: Float64Array[] = [];
      for (let q = 0; q < length; q++) {
        const flows = Float64Array.from({ length }, (_, k) => maxFlow(network, (layer + 1) * length + q, k));
        const sum = flows.reduce((total, x) => total + x, 0);
        rows.push(flows.map((x) => x / sum));
      }
      found.push(rows);
    }
    samples.push({ tokens, layers: found });
    onProgress?.(at + 1, prompts.length);
  }
  const caption = `Attention flow of ${model.name}, ${prompts.length} prompts`;
  return new TokenFlow({ caption, layers: wanted, samples });
}
