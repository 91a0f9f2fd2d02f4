import type { Build, CancelSignal, Value } from "../graph/index.js";
import type { Tensor } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import type { GeneratedToken } from "./generation.js";
import type { Intervention } from "./headGates.js";
import type { SamplingOptions } from "./sampling.js";
import type { GraphEdit, Probe } from "./site.js";

export interface RunOptions {
  /**
   * Addresses to keep besides the outputs and the patterns; `*` stands for every layer.
   * Nothing else can be read afterwards: an activation that was not captured is asked for in a new run.
   */
  readonly capture?: readonly Address[];
  /**
   * Called with each activation that `capture` names, which is then not kept: a long run on the CPU, which goes piece by piece, calls it as
   * soon as the activation is there, and holds no more of them than it reads itself.
   */
  readonly onCapture?: (address: Address, activation: Tensor) => void;
  /** Whether all attention patterns are kept: true. */
  readonly patterns?: boolean;
  /** Applied in this order: values that `interventions` make, or heads to ablate. */
  readonly interventions?: readonly (Intervention | GraphEdit)[];
  /** Measurements compiled into the run: values that `probes` make. */
  readonly probes?: readonly Probe[];
  /** Whether logits and last hidden states are kept: true. */
  readonly outputs?: boolean;
  /** As in `ComputeOptions`; patterns that are kept are formed all the same. */
  readonly queriesPerBlock?: number;
  /** Called about once a second in a run over blocks of queries on the CPU, with the share that is done, 0 … 1. */
  readonly onProgress?: (done: number) => void;
  /** Rejects the run at once when it aborts: the interrupt of the running cell when left out. */
  readonly signal?: CancelSignal;
}

/** A scalar to differentiate, written on the model's own graph. */
export type Metric = (values: { readonly at: (address: Address) => Value }, build: Build) => Value;

export interface GradientOptions {
  /** A metric, or `"loss"`: the mean next-token loss of a causal language model, as in `Run.loss`. */
  readonly of: Metric | "loss";
  readonly at: readonly Address[];
  readonly signal?: CancelSignal;
}

export interface ComputeOptions {
  readonly interventions?: readonly GraphEdit[];
  /**
   * Attention is evaluated over blocks of so many queries, and no pattern is formed as a whole: memory grows with the
   * length, not with its square. Left out: only where the patterns of a layer would take more than 64 MB; Infinity: never.
   */
  readonly queriesPerBlock?: number;
  /**
   * Whether weights are laid out for faster products, which takes as long as some three short passes lose without it; the graphs of
   * the last two passes stay loaded: false.
   */
  readonly repeated?: boolean;
  /** Called about once a second in a run over blocks of queries on the CPU, with the share that is done, 0 … 1. */
  readonly onProgress?: (done: number) => void;
  readonly signal?: CancelSignal;
}

export interface GenerateOptions extends SamplingOptions {
  /** The most tokens that are added to a prompt; a text that ends by itself has fewer. */
  readonly maxNewTokens: number;
  /** Called with each token as soon as it is known. */
  readonly onToken?: (token: GeneratedToken) => void;
  /** Whether the attention of each new token is kept, as `Generation.patterns`: false. */
  readonly patterns?: boolean;
  /** Whether the rules of generation_config.json are followed: forced and suppressed tokens, repetition, least length: true. */
  readonly rules?: boolean;
  /** Whether keys and values of earlier tokens are kept, so that a step costs one token: true. */
  readonly cache?: boolean;
  readonly signal?: CancelSignal;
}

export interface Gradients {
  readonly value: number;
  /** d value / d activation, in the activation's layout. */
  readonly at: (address: Address) => Tensor;
}
