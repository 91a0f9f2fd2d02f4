import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { softcapped } from "./attention.js";
import type { Batch, Blueprint, GraphContext, TensorSpec } from "./family.js";
import { arange, tokenFeeds } from "./feeds.js";
import type { DecoderBlock } from "./preNormDecoder.js";
import { preNormDecoder } from "./preNormDecoder.js";

/** What a family says about one causal language model. */
export interface CausalModel extends Pick<
  Blueprint,
  | "family"
  | "architecture"
  | "layers"
  | "heads"
  | "kvHeads"
  | "headDim"
  | "width"
  | "vocabulary"
  | "positions"
  | "regime"
> {
  readonly padId: number | null;
  readonly endIds: readonly number[];
  /** Architectures without a head end in `Model`; those with one hold a prediction of the next token. */
  readonly withHead: boolean;
  /** Whether the unembedding is the embedding table. */
  readonly tied: boolean;
  /** The embedding table and the unembedding, without `.weight`. */
  readonly names: { readonly embed: string; readonly head: string };
  /** Prefix that checkpoints with a head put before all other names; left out by some. */
  readonly prefix: RegExp;
  /** Names of buffers that older checkpoints hold. */
  readonly buffers: RegExp;
  /** All weights but embedding and unembedding. */
  readonly tensors: readonly TensorSpec[];
  /** Embeddings as the first block reads them, [B,T,M]. */
  readonly embedded: (context: GraphContext, rows: Value) => Value;
  /** Counts positions where none are given: 0, 1, 2 … when left out. */
  readonly count?: (batch: Batch) => Int32Array;
  /** Whether places enter the scores by the keys' positions alone: such a model has no position ids. */
  readonly byKeys?: boolean;
  readonly block: (context: GraphContext, layer: number) => DecoderBlock;
  readonly finalNorm: (context: GraphContext, x: Value) => Value;
  /** Logits become c·tanh(logit / c). */
  readonly logitCap?: number | undefined;
  /** What logits are divided by; 1 when left out. */
  readonly logitDivisor?: number;
  /** Whether the unembedding has a bias. */
  readonly headBias?: boolean;
}

function canonicalName(model: CausalModel, name: string): string | undefined {
  const { prefix, buffers, names, withHead, tied } = model;
  const current = name.replace(prefix, "");
  if (buffers.test(current)) return undefined;
  // A tied unembedding is stored again by some versions.
  return current === `${names.head}.weight` && (tied || !withHead) ? undefined : current;
}

/** The blueprint of a causal language model: embeddings, pre-norm blocks, a last norm and the unembedding. */
export function causalBlueprint(model: CausalModel): Blueprint {
  const { family, architecture, layers, heads, headDim, width, vocabulary, positions, names, withHead, tied } = model;
  const { headBias = false, logitDivisor = 1 } = model;
  const head = { name: `${names.head}.bias`, shape: [vocabulary] };
  return {
    ...{ family, architecture, layers, heads, headDim, width, vocabulary, positions },
    kvHeads: model.kvHeads ?? heads,
    tokenTypes: 1,
    causal: true,
    regime: model.regime,
    padId: model.padId ?? model.endIds[0] ?? 0,
    endIds: model.endIds,
    tensors: [
      { name: `${names.embed}.weight`, shape: [vocabulary, width] },
      ...model.tensors,
      ...(withHead && !tied ? [{ name: `${names.head}.weight`, shape: [vocabulary, width] }] : []),
      ...(withHead && headBias ? [head] : []),
    ],
    canonicalName: (name) => canonicalName(model, name),
    unembedding: withHead ? names.head : undefined,
    inputs: [
      "input_ids",
      "attention_mask",
      "token_index",
      "key_index",
      model.byKeys ? "key_positions" : "position_ids",
    ],
    feeds: (batch) => tokenFeeds(batch, (model.count ?? arange)(batch)),
    build: (context) => {
      const rows = build.gather(context.weight(`${names.embed}.weight`), context.input("input_ids"), 0);
      const blocks = Array.from({ length: layers }, (_, layer) => model.block(context, layer));
      const stream = preNormDecoder(context, blocks, model.embedded(context, rows));
      const final = context.tap("ln_final", model.finalNorm(context, stream));
      if (!withHead) return { last_hidden_state: final };
      const read = context.past ? context.past.last(final) : final;
      const table = context.weight(`${context.has(`${names.head}.weight`) ? names.head : names.embed}.weight`);
      const product = build.matMul(read, build.transpose(table, [1, 0]));
      const sum = context.has(head.name) ? build.add(product, context.weight(head.name)) : product;
      const logits = logitDivisor === 1 ? sum : build.div(sum, logitDivisor);
      return { logits: softcapped(logits, model.logitCap), last_hidden_state: final };
    },
  };
}
