import type { GateSpec, ParameterSpec, Sizes } from "../../attention/index.js";
import type { Value } from "../../graph/index.js";
import { build, constant, input } from "../../graph/index.js";
import { OptionError, random, UnsupportedError } from "../../tensor/index.js";
import { alibiBias, alibiSlopes } from "../alibi.js";
import type { Blueprint, GraphContext, TensorSpec } from "../family.js";
import { arange, tokenFeeds } from "../feeds.js";
import { splitHeads } from "../layers.js";
import { mlp } from "../mlp.js";
import type { NormKind } from "../norms.js";
import { layer, rms } from "../norms.js";
import { rotaryOf, rotate } from "../rotary.js";
import { visiblePairs } from "../visibility.js";
import { writtenHeads } from "../writtenHeads.js";
import { attendAddressed, causalConvolution, squash, unitVectors } from "./attend.js";
import type { LayerAttention, TransformerConfig } from "./config.js";
import { architecture } from "./config.js";

const norms: Readonly<Record<TransformerConfig["norm"], NormKind>> = {
  layer: layer(1e-5),
  rms: rms(1e-5),
  none: { specs: () => [], apply: (_, __, x) => x },
};

/** Sizes of one layer's call, lengths as words. */
function sizesOf({ heads, kvHeads, valueHeads, headDim }: TransformerConfig): Sizes {
  const groups = { keyHeads: kvHeads, valueHeads };
  return { batch: "batch", heads, ...groups, queries: "query", keys: "query", headDim, valueDim: headDim };
}

/** What a layer's mechanism learns, by the names of its weights. */
export function parametersOf(config: TransformerConfig, at: number): Readonly<Record<string, ParameterSpec>> {
  const { mechanism, options } = config.attention[at];
  return mechanism.parameters?.(sizesOf(config), options) ?? {};
}

function gateChannels({ per }: GateSpec, { heads, headDim }: TransformerConfig): number {
  return per === "head" ? heads : heads * headDim;
}

/** Whether a mechanism can be written before the length of its prompts is known. */
function takesAnyLength({ mechanism, options }: LayerAttention, config: TransformerConfig): boolean {
  const { heads, kvHeads, valueHeads, headDim } = config;
  const value = (count: number): Value => input("probe", "float32", ["batch", count, "query", headDim]);
  const gate = ({ per }: GateSpec): Value =>
    input("gate", "float32", per === "head" ? ["batch", heads, "query"] : ["batch", heads, "query", headDim]);
  const learned = mechanism.parameters?.(sizesOf(config), options) ?? {};
  try {
    mechanism.attend(
      {
        ...{ q: value(heads), k: value(kvHeads), v: value(valueHeads) },
        parameters: mapped(learned, ({ shape }) => input("parameter", "float32", shape)),
        gates: mapped(mechanism.gates ?? {}, gate),
      },
      options,
    );
    return true;
  } catch (error) {
    if (error instanceof UnsupportedError) return false;
    throw error;
  }
}

function mapped<A, B>(record: Readonly<Record<string, A>>, of: (value: A, name: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, of(value, name)]));
}

function linearSpecs(name: string, inputs: number, outputs: number): TensorSpec[] {
  return [
    { name: `${name}.weight`, shape: [inputs, outputs] },
    { name: `${name}.bias`, shape: [outputs] },
  ];
}

/** x · W + b, W stored [in,out]. */
function linear({ weight }: GraphContext, name: string, x: Value): Value {
  return build.add(build.matMul(x, weight(`${name}.weight`)), weight(`${name}.bias`));
}

function blockSpecs(config: TransformerConfig, at: number): TensorSpec[] {
  const { width, heads, kvHeads, valueHeads, headDim, mlpWidth, convolution, norm, attention } = config;
  const prefix = `blocks.${at}.`;
  const { gates = {} } = attention[at].mechanism;
  return [
    ...norms[norm].specs(`${prefix}ln1`, width),
    ...(convolution > 0 ? [{ name: `${prefix}attn.convolution.weight`, shape: [convolution, width] }] : []),
    ...linearSpecs(`${prefix}attn.qkv`, width, (heads + kvHeads + valueHeads) * headDim),
    ...Object.entries(gates).flatMap(([name, gate]) =>
      linearSpecs(`${prefix}attn.gate.${name}`, width, gateChannels(gate, config)),
    ),
    ...Object.entries(parametersOf(config, at)).map(([name, { shape }]) => ({ name: `${prefix}attn.${name}`, shape })),
    ...linearSpecs(`${prefix}attn.out`, heads * headDim, width),
    ...(mlpWidth > 0
      ? [
          ...norms[norm].specs(`${prefix}ln2`, width),
          ...linearSpecs(`${prefix}mlp.in`, width, mlpWidth),
          ...linearSpecs(`${prefix}mlp.out`, mlpWidth, width),
        ]
      : []),
  ];
}

/** x · W + b for some columns of W. */
function columns({ weight }: GraphContext, name: string, x: Value, from: number, to: number): Value {
  const product = build.matMul(x, build.slice(weight(`${name}.weight`), 1, from, to));
  return build.add(product, build.slice(weight(`${name}.bias`), 0, from, to));
}

/** What queries and keys of a layer are made of, before its norm; undefined where that is the stream. Shapes → [B,T,M] */
function sourceOf(context: GraphContext, config: TransformerConfig, at: number, embedded: Value): Value | undefined {
  const kind = config.queriesFrom[at];
  if (kind === "stream") return undefined;
  if (kind === "embeddings") return embedded;
  const drawn = random(0).fork("queries").normal([config.vocabulary, config.width]);
  return build.gather(build.cast(constant(drawn), embedded.dtype), context.input("input_ids"), 0);
}

function attentionOf(
  context: GraphContext,
  config: TransformerConfig,
  at: number,
  x: Value,
  source: Value | undefined,
): Value {
  const { heads, kvHeads, valueHeads, headDim, convolution, unitKeys, positions, length, causal } = config;
  const { mechanism } = config.attention[at];
  const name = (part: string): string => `blocks.${at}.attn.${part}`;
  const tap = (part: string, value: Value): Value => context.tap(`blocks.${at}.${part}`, value);
  const readFrom = (from: Value): Value =>
    convolution > 0 ? causalConvolution(from, context.weight(name("convolution.weight"))) : from;
  const read = readFrom(x);
  const [asking, every] = [heads + kvHeads, heads + kvHeads + valueHeads].map((count) => count * headDim);
  const all = source
    ? build.concat(
        [
          columns(context, name("qkv"), readFrom(source), 0, asking),
          columns(context, name("qkv"), read, asking, every),
        ],
        2,
      )
    : linear(context, name("qkv"), read);
  const part = (from: number, count: number): Value =>
    splitHeads(build.slice(all, 2, from * headDim, (from + count) * headDim), count);
  const turned = (which: "q" | "k", from: number, count: number): Value => {
    const made = part(from, count);
    const plain = tap(`attn.${which}`, unitKeys ? unitVectors(made) : made);
    if (positions !== "rotary") return plain;
    const rotary = rotaryOf(
      "transformer",
      { rope_theta: 10000, rope_scaling: null, rope_parameters: null, max_position_embeddings: length },
      headDim,
    );
    return tap(`attn.rot_${which}`, rotate(rotary, plain, context.input("position_ids")));
  };
  const index = context.input("token_index");
  const places = { mask: context.input("attention_mask"), queries: index, keys: index };
  const isMasked = mechanism.promises.sees === "mask";
  const slopes = alibiSlopes(heads);
  const z = attendAddressed(tap, config.attention[at], {
    q: turned("q", 0, heads),
    k: turned("k", heads, kvHeads),
    v: tap("attn.v", part(heads + kvHeads, valueHeads)),
    ...(isMasked ? { mask: visiblePairs(places, causal) } : {}),
    ...(positions === "alibi" ? { bias: alibiBias(slopes, context.input("key_positions")) } : {}),
    parameters: mapped(parametersOf(config, at), (_, each) => context.weight(name(each))),
    gates: mapped(mechanism.gates ?? {}, (gate, each) => {
      const made = squash(linear(context, name(`gate.${each}`), read), gate.range);
      return gate.per === "head" ? build.transpose(made, [0, 2, 1]) : splitHeads(made, heads);
    }),
  });
  if (z.shape[3] !== headDim)
    throw new OptionError(
      `transformer: "${mechanism.name}" of layer ${at} gives heads of ${z.shape[3]} channels for values of ${headDim}`,
    );
  return tap(
    "attn_out",
    writtenHeads(tap, z, (merged) => linear(context, name("out"), merged)),
  );
}

function block(context: GraphContext, config: TransformerConfig, at: number, x: Value, embedded: Value): Value {
  const tap = (part: string, value: Value): Value => context.tap(`blocks.${at}.${part}`, value);
  const { apply } = norms[config.norm];
  const before = tap("resid_pre", x);
  const read = tap("ln1.normalized", apply(context, `blocks.${at}.ln1`, before));
  const source = sourceOf(context, config, at, embedded);
  const asked = source && apply(context, `blocks.${at}.ln1`, source);
  const sum = build.add(before, attentionOf(context, config, at, read, asked));
  if (config.mlpWidth === 0) return tap("resid_post", sum);
  const middle = tap("resid_mid", sum);
  const shared = tap("ln2.normalized", apply(context, `blocks.${at}.ln2`, middle));
  const side = (part: string) => (y: Value) => linear(context, `blocks.${at}.mlp.${part}`, y);
  const written = tap("mlp_out", mlp(tap, config.activation, side("in"), side("out"), shared));
  return tap("resid_post", build.add(middle, written));
}

/** Throws OptionError where parts of a config do not fit together. */
function check({
  layers,
  heads,
  kvHeads,
  valueHeads,
  queriesFrom,
  attention,
  positions,
  causal,
}: TransformerConfig): void {
  for (const [name, count] of Object.entries({ kvHeads, valueHeads })) {
    if (heads % count !== 0)
      throw new OptionError(`transformer: heads must be a multiple of ${name}, got ${heads} and ${count}`);
  }
  if (queriesFrom.length !== layers)
    throw new OptionError(`transformer: expected queriesFrom for each of ${layers} layers, got ${queriesFrom.length}`);
  attention.forEach(({ mechanism: { name, promises } }, at) => {
    if (promises.sees !== "mask" && positions === "alibi")
      throw new OptionError(`transformer: "${name}" of layer ${at} takes no bias, so no ALiBi positions`);
    const asked = causal ? "causal" : "not causal";
    if (promises.sees !== "mask" && (promises.sees === "causal") !== causal)
      throw new OptionError(
        `transformer: "${name}" of layer ${at} sees ${promises.sees} keys, but the model is ${asked}`,
      );
  });
}

/**
 * A transformer made of mechanisms: embeddings, pre-norm blocks of attention and MLP, a last norm, the unembedding.
 *
 * Throws   OptionError where its parts do not fit together
 */
export function transformerBlueprint(config: TransformerConfig): Blueprint {
  check(config);
  const { layers, heads, kvHeads, valueHeads, headDim, width, vocabulary, length, positions, norm, tied } = config;
  const { attention } = config;
  const isFixed = config.convolution > 0 || !attention.every((each) => takesAnyLength(each, config));
  const names = ["input_ids", "attention_mask", "token_index"];
  if (positions === "learned" || positions === "rotary") names.push("position_ids");
  if (positions === "alibi") names.push("key_positions");
  return {
    ...{ family: "transformer", architecture, layers, heads, kvHeads, valueHeads, headDim, width, vocabulary },
    positions: length,
    ...{ tokenTypes: 1, causal: config.causal, padId: config.endId ?? 0, continues: false },
    ...(isFixed ? { fixedLength: length } : {}),
    signed: attention.some(({ mechanism: { promises } }) => promises.rows === "free"),
    endIds: config.endId === null ? [] : [config.endId],
    tensors: [
      { name: "embed.weight", shape: [vocabulary, width] },
      ...(positions === "learned" ? [{ name: "positions.weight", shape: [length, width] }] : []),
      ...Array.from({ length: layers }, (_, at) => blockSpecs(config, at)).flat(),
      ...norms[norm].specs("ln_final", width),
      ...(tied ? [] : [{ name: "unembed.weight", shape: [width, vocabulary] }]),
    ],
    canonicalName: (name) => name,
    inputs: isFixed ? names.map((name) => ({ name, dtype: "int32", shape: ["batch", length] })) : names,
    feeds: (batch) => tokenFeeds(batch, arange(batch)),
    build: (context) => {
      const { tap, weight, input: fed } = context;
      const rows = tap("embed", build.gather(weight("embed.weight"), fed("input_ids"), 0));
      const embedded =
        positions === "learned"
          ? build.add(rows, tap("pos_embed", build.gather(weight("positions.weight"), fed("position_ids"), 0)))
          : rows;
      let stream = embedded;
      for (let at = 0; at < layers; at++) stream = block(context, config, at, stream, embedded);
      const final = tap("ln_final", norms[norm].apply(context, "ln_final", stream));
      const unembed = tied ? build.transpose(weight("embed.weight"), [1, 0]) : weight("unembed.weight");
      return { logits: build.matMul(final, unembed), last_hidden_state: final };
    },
  };
}
