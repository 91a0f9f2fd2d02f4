import type { LiveName } from "./headGridPayload.js";
import type { Heading } from "./heading.js";

/** MIME type of an attribution graph; the major version is part of the name. */
export const attributionGraphMime = "application/vnd.attention-lab.attribution-graph.v1+json";

/** Version of the payload that this build writes: readers accept every 1.x. */
export const attributionGraphVersion = "1.0";

/** What a node is; `"keys"`: a head of keys and values that several heads share. */
export const graphKinds = ["input", "head", "keys", "mlp", "output"] as const;
export type GraphKind = (typeof graphKinds)[number];

/** What writes into the residual stream, what reads it, and how much each edge between them weighs. Plain JSON. */
export interface AttributionGraphPayload extends Heading<"attribution-graph"> {
  /** What a weight is. */
  readonly measure: string;
  readonly layers: number;
  readonly heads: number;
  /** A column for each property; -1 where a node has no layer or no head. */
  readonly nodes: {
    readonly name: readonly string[];
    readonly kind: readonly GraphKind[];
    readonly layer: readonly number[];
    readonly head: readonly number[];
    /** The token that a node stands at, -1 for all of them; absent where no node stands at one. */
    readonly position?: readonly number[];
  };
  /** The text that positions count. */
  readonly tokens?: readonly string[];
  /** The largest edges first: places of nodes, what of a head is read, and the weight. */
  readonly edges: {
    readonly from: readonly number[];
    readonly to: readonly number[];
    /** `"q"`, `"k"` or `"v"` of a head; empty otherwise. */
    readonly input: readonly string[];
    readonly weight: readonly number[];
  };
  /** Of all edges, those that are not stored included: how many there are, and the sum of their sizes. */
  readonly all: { readonly edges: number; readonly weight: number };
  readonly notes: readonly string[];
  readonly live?: LiveName;
}

/** Upper limits of everything in a payload; a reader refuses more. */
export const attributionGraphCaps: {
  readonly layers: number;
  readonly heads: number;
  readonly nodes: number;
  readonly edges: number;
  readonly nameLength: number;
  readonly measureLength: number;
  readonly tokens: number;
  readonly tokenLength: number;
} = {
  ...{ layers: 512, heads: 512, nodes: 16_384, edges: 20_000, nameLength: 32, measureLength: 256 },
  ...{ tokens: 32_768, tokenLength: 128 },
};
