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
}

/** A graph that is loaded and ready to run. */
export interface Compiled {
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
  /** Gives the memory back; idempotent. */
  readonly dispose: () => Promise<void>;
}

/** Whatever executes graphs: onnxruntime here, behind an interface so that nothing below the facade names it. */
export interface Engine {
  readonly device: string;
  /** What matrix products and their weights are in. */
  readonly dtype: "float32" | "float16";
  /** The graph that yields these outputs; an equal graph on the same weights is compiled once. */
  readonly compile: (outputs: Readonly<Record<string, Value>>, settings?: RunSettings) => Promise<Compiled>;
}
