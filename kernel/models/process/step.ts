import type { Value } from "../../graph/index.js";
import type { Blueprint } from "../family.js";
import type { GraphReading } from "./graphReading.js";

export type Weights = ReadonlyMap<string, Value>;

/** What one step of processing made of a model. */
export interface Processed {
  readonly weights: Weights;
  /** In words, for the provenance. */
  readonly done: string;
}

/** Rewrites weights so that the model's predictions stay; throws UnsupportedError where they would not. */
export type Step = (graph: GraphReading, weights: Weights, blueprint: Blueprint) => Processed;
