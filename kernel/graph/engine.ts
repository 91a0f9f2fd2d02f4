import type { Tensor } from "../tensor/index.js";
import type { Value } from "./value.js";

/** The part of an AbortSignal that the engine listens to. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

export interface RunSettings {
  /** Rejects the run at once; the result is discarded when it comes. */
  readonly signal?: CancelSignal;
  /** Feeds whose memory the engine takes instead of a copy: they cannot be read afterwards. */
  readonly gives?: readonly string[];
}

/** What runs with a state are fed alike. */
export interface CarrySettings extends Pick<RunSettings, "gives"> {
  /** Inputs that are the same in every run, besides those that are carried. */
  readonly kept?: Readonly<Record<string, Tensor>>;
}

/**
 * State that stays with the engine from run to run: weights in training, a cache of keys and values.
 * Runs of one state take turns. A run that fails leaves the state as it was; one that is interrupted still completes, and
 * with it the state.
 */
export interface Carried {
  /** One pass: as `Compiled.run`, with feeds for the inputs that are not carried. */
  readonly run: Compiled["run"];
  /** The state of now, copied. */
  readonly read: () => Promise<Readonly<Record<string, Tensor>>>;
  /** Disposes of the state and hands these inputs over as they are then, not copied: what was given comes back this way. */
  readonly end: (names: readonly string[]) => Promise<Readonly<Record<string, Tensor>>>;
  /** Gives the memory of the state back; idempotent. */
  readonly dispose: () => Promise<void>;
}

export interface CompileSettings extends Pick<RunSettings, "signal"> {
  /**
   * For a graph that runs once or a few times: weights are read as they lie, not laid out again for faster products. Loading takes
   * a fraction of the time; a run of few tokens takes longer.
   */
  readonly isFleeting?: boolean;
  /** Memory of what is no longer needed goes back during a run, which takes longer: for large values, and runs that are few. */
  readonly isSparing?: boolean;
}

/** A graph that is loaded and ready to run. */
export interface Compiled {
  /** Equal where an equal graph on equal weights is loaded in the same way. */
  readonly key: string;
  readonly inputs: readonly Value[];
  readonly outputs: readonly string[];
  /**
   * One pass over the graph.
   *
   * Throws   OptionError, ShapeError on feeds that do not fit; EngineError when the run fails
   */
  readonly run: (
    feeds: Readonly<Record<string, Tensor>>,
    outputs?: readonly string[],
    settings?: RunSettings,
  ) => Promise<Readonly<Record<string, Tensor>>>;
  /**
   * Runs whose inputs named in `next` are state: first the tensors of `first`, then, after each run, the output that
   * `next` names for them. The state does not travel, nor do inputs that are kept: only the other feeds and the outputs
   * asked for do.
   *
   * Throws   OptionError on names that are not there or lack a first value; ShapeError where an output has another dtype
   * Example  `compiled.carry({ weights: "next weights" }, { weights })`
   */
  readonly carry: (
    next: Readonly<Record<string, string>>,
    first: Readonly<Record<string, Tensor>>,
    settings?: CarrySettings,
  ) => Promise<Carried>;
  /** Gives the memory back; idempotent. */
  readonly dispose: () => Promise<void>;
}

/** Whatever executes graphs: onnxruntime here, behind an interface so that nothing below the facade names it. */
export interface Engine {
  readonly device: string;
  /** What matrix products and their weights are in. */
  readonly dtype: "float32" | "float16";
  /** The graph that yields these outputs; an equal graph on the same weights is compiled once. */
  readonly compile: (outputs: Readonly<Record<string, Value>>, settings?: CompileSettings) => Promise<Compiled>;
}
