import type { Value } from "../../graph/index.js";
import type { FileGraph, Seen } from "./fileGraph.js";

/** Sizes of one attention. */
export interface BlockSizes {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Positions that ask, and that are attended to, in the first run. */
  readonly queries: number;
  readonly keys: number;
}

/** One attention of a file, however the file writes it. */
export interface FoundBlock {
  /** What reports call it: the name of its softmax or of the operator. */
  readonly node: string;
  /** How it is written, for the report. */
  readonly form: string;
  /** Place of its last node among the nodes of the file. */
  readonly place: number;
  /** Tensors that a first run of the file has to give. */
  readonly needs: readonly string[];
  /** Tensors from which its queries and its keys come. */
  readonly query: string;
  readonly key: string;
  /** Its pattern, where the file has it. */
  readonly pattern?: string;
  /** Its sizes; a reason where the first run shows that it is no attention, or one that cannot be opened exactly. */
  readonly measure: (seen: Seen, batch: number) => BlockSizes | string;
  /** Gives scores, pattern, v and z their addresses and lets the file go on with what they become. */
  readonly open: (graph: FileGraph, sizes: BlockSizes, tap: (part: string, value: Value) => Value) => void;
}

/** A candidate that is no attention, and why. */
export interface NotFound {
  readonly node: string;
  readonly reason: string;
}
