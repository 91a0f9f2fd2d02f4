import type { ComputeOptions, Model, ModelInput, TokenSet } from "../models/index.js";
import { tokenMask } from "../models/index.js";
import { massPerKey } from "../probes/index.js";
import { checkOptions, OptionError } from "../tensor/index.js";

export interface VisualSinkOptions {
  /** The image's tokens; all when left out, which is right for models that read pictures alone. */
  readonly image?: TokenSet;
  /**
   * Dimensions of the residual stream that are massive at sinks: 2533 and 1415 for Llama-2-7B. Left out: the two in which
   * the normed residual of token 0 is largest, over the layers that are looked at.
   */
  readonly dimensions?: readonly number[];
  /** A token is a sink where such a dimension of its normed residual is above this; default 20. At most √width is possible. */
  readonly tau?: number;
  /** Default all but 0, 1 and the last, as in the source. */
  readonly layers?: readonly number[];
  readonly signal?: NonNullable<ComputeOptions["signal"]>;
}

/** A token of an image that is a sink in one layer. */
export interface VisualSink {
  readonly prompt: number;
  readonly layer: number;
  readonly position: number;
  readonly token: string;
  /** The measure that is above τ. */
  readonly phi: number;
  /** The mean attention that it receives, over the heads of the layer. */
  readonly received: number;
}

export interface VisualSinks {
  readonly dimensions: readonly number[];
  readonly tau: number;
  /** What token 0 of each prompt is. */
  readonly firstTokens: readonly string[];
  readonly sinks: readonly VisualSink[];
  /** φ by prompt, layer and position; NaN in layers that are left out. */
  readonly phi: readonly (readonly Float64Array[])[];
}

/**
 * Sinks among the tokens of an image: those whose residual stream is massive where that of token 0 is.
 *
 *   φ(x) = max_{d ∈ dimensions} |x_d / √(mean x² + 10⁻⁶)| of what a block reads · sink where φ > τ
 *
 * Range    prompts one by one, but for the dimensions, which are found over all of them where they are not given
 * Throws   OptionError on dimensions or layers that the model does not have; UnsupportedError where its layers are not one stack
 * Source   arXiv:2503.03321 and its code
 * Differs  dimensions of other models than LLaVA's are found at token 0; the source takes them from a list
 */
export async function visualSinks(
  model: Model,
  input: string | readonly string[] | ModelInput,
  options: VisualSinkOptions = {},
): Promise<VisualSinks> {
  checkOptions("visualSinks", options, ["image", "dimensions", "tau", "layers", "signal"]);
  const { image = () => true, dimensions: given, tau = 20, signal } = options;
  const { width } = model;
  const inner = Array.from({ length: Math.max(model.layers - 3, 0) }, (_, i) => i + 2);
  const looked = [...new Set(options.layers ?? inner)].sort((a, b) => a - b);
  if (given && (given.length === 0 || given.some((d) => !Number.isInteger(d) || d < 0 || d >= width))) {
    throw new OptionError(`visualSinks: dimensions must be whole numbers in 0 … ${width - 1}, got [${given.join()}]`);
  }
  if (!(tau >= 0)) throw new OptionError(`visualSinks: tau must be a number of at least 0, got ${String(tau)}`);
  if (looked.length === 0 || looked.some((l) => !Number.isInteger(l) || l < 0 || l >= model.layers)) {
    throw new OptionError(
      `visualSinks: layers must be whole numbers in 0 … ${model.layers - 1}, got [${looked.join()}]`,
    );
  }
  const mass = massPerKey();
  let inImage: ArrayLike<number> = [];
  const run = await model.run(input, {
    patterns: false,
    outputs: false,
    capture: looked.map((layer) => `blocks.${layer}.resid_pre`),
    probes: [
      {
        name: mass.name,
        measure: (site) => {
          inImage = tokenMask("visualSinks", image, site).data;
          return mass.measure(site);
        },
      },
    ],
    ...(signal ? { signal } : {}),
  });
  const received = run.probe(mass.name); // [B,L,H,K]
  const [batch, , heads, length] = received.shape as [number, number, number, number];
  /** |x| / √(mean x² + 10⁻⁶) of one token, by dimension. */
  const normed = (prompt: number, layer: number, position: number): Float64Array => {
    const x = run.at(`blocks.${layer}.resid_pre`).slice(prompt, position).numbers();
    const scale = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / width + 1e-6);
    return x.map((value) => Math.abs(value) / scale);
  };
  const dimensions = given ?? largestTwo();
  const phi = Array.from({ length: batch }, (_, prompt) =>
    Array.from({ length: model.layers }, (_l, layer) =>
      Float64Array.from({ length }, (_t, position) => {
        if (!looked.includes(layer)) return NaN;
        const x = normed(prompt, layer, position);
        return Math.max(...dimensions.map((d) => x[d]));
      }),
    ),
  );
  const sinks = phi.flatMap((own, prompt) =>
    own.flatMap((values, layer) =>
      [...values.keys()]
        .filter((position) => values[position] > tau && inImage[prompt * length + position] === 1)
        .map((position) => {
          const perHead = Array.from({ length: heads }, (_, h) => received.item(prompt, layer, h, position));
          const mean = perHead.reduce((sum, alpha) => sum + alpha, 0) / heads;
          const token = run.tokens[prompt][position];
          return { prompt, layer, position, token, phi: values[position], received: mean };
        }),
    ),
  );
  return { dimensions, tau, firstTokens: run.tokens.map(([first]) => first), sinks, phi };

  function largestTwo(): readonly number[] {
    const sum = new Float64Array(width);
    for (let prompt = 0; prompt < batch; prompt++)
      for (const layer of looked) normed(prompt, layer, 0).forEach((value, d) => (sum[d] += value));
    return [...sum.keys()].sort((a, b) => sum[b] - sum[a]).slice(0, 2);
  }
}
