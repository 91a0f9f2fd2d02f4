import type { SymbolicShape, Value } from "../graph/index.js";
import type { Tensor } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import type { Batch, Blueprint } from "./family.js";

/** What an intervention, a probe or an analysis may read of the run that it is part of. */
export interface Site {
  readonly model: Blueprint;
  readonly batch: Batch;
  /** Token labels per prompt, padding included. */
  readonly tokens: readonly (readonly string[])[];
  readonly addresses: readonly Address[];
  /** The id of a text that is one token; throws OptionError where it is several. */
  readonly tokenId: (text: string) => number;
  /** 1 where a token is real, 0 where it is padding, [batch,query] float32. */
  readonly real: Value;
  /** An activation of this run, after its interventions; throws OptionError on one that this model computes later or never. */
  readonly at: (address: Address) => Value;
  /** The same activation of the untouched run; what both runs share is computed once. */
  readonly clean: (address: Address) => Value;
  /** A tensor as an input of the graph: the compiled graph serves other numbers, too. Axis words may stand for its sizes. */
  readonly feed: (name: string, tensor: Tensor, shape?: SymbolicShape) => Value;
}

/** Where an intervention acts. */
export interface EditSite extends Site {
  readonly address: Address;
  /** NaN outside of the blocks. */
  readonly layer: number;
}

/** A change to a model's graph: a value that `interventions` make, and that `model.run` takes. */
export interface GraphEdit {
  readonly name: string;
  /** Where it acts; `*` stands for every layer. */
  readonly at: readonly Address[];
  /** The changed activation, of the same shape; it may not depend on anything computed later. */
  readonly edit: (value: Value, site: EditSite) => Value;
}

/** A measurement compiled into the graph: a value that `probes` make, and that `model.run` takes. */
export interface Probe {
  /** Under which `run.probe` finds it. */
  readonly name: string;
  readonly measure: (site: Site) => Value;
}

/** How much one intervention changed one address. */
export interface EditReport {
  readonly intervention: string;
  readonly address: Address;
  /**
   * For scores and patterns [B,H]: the attention mass that moved, ½ Σ_k |A′ − A| as a mean over the real queries; A of scores is
   * their softmax over keys, a sink logit left aside.
   * Elsewhere [B]: ‖x′ − x‖ / ‖x‖ over the prompt's real positions.
   */
  readonly changed: Tensor;
}
