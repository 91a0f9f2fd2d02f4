import type { GateSpec, ParameterSpec, Sizes } from "../../attention/index.js";
import type { Value } from "../../graph/index.js";
import { build, input } from "../../graph/index.js";
import { OptionError, UnsupportedError } from "../../tensor/index.js";
import { alibiBias, alibiSlopes } from "../alibi.js";
import type { GraphContext, TensorSpec } from "../family.js";
import { activations, splitHeads } from "../layers.js";
import { rotaryOf, rotate } from "../rotary.js";
import { visiblePairs } from "../visibility.js";
import { writtenHeads } from "../writtenHeads.js";
import { attendAddressed, causalConvolution, squash, unitVectors } from "./attend.js";
import type { LayerAttention, TransformerConfig } from "./config.js";

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
export function takesAnyLength({ mechanism, options }: LayerAttention, config: TransformerConfig): boolean {
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

/** Weights of x · W + b. */
export function linearSpecs(name: string, inputs: number, outputs: number): TensorSpec[] {
  return [
    { name: `${name}.weight`, shape: [inputs, outputs] },
    { name: `${name}.bias`, shape: [outputs] },
  ];
}

/** x · W + b, W stored [in,out]. */
export function linear({ weight }: GraphContext, name: string, x: Value): Value {
  return build.add(build.matMul(x, weight(`${name}.weight`)), weight(`${name}.bias`));
}

/** x · W + b for some columns of W. */
function columns({ weight }: GraphContext, name: string, x: Value, from: number, to: number): Value {
  const product = build.matMul(x, build.slice(weight(`${name}.weight`), 1, from, to));
  return build.add(product, build.slice(weight(`${name}.bias`), 0, from, to));
}

/**
 * Queries through a gated MLP of their own, for every head at once.
 *
 *   down(silu(gate(q)) ⊙ up(q))
 *
 * Shapes   q [B,T,H·D] → [B,T,H·D]
 * Source   augmented Q, arXiv:2501.13629 §2 and App. E
 */
function augmented(context: GraphContext, name: string, q: Value): Value {
  const [gate, up] = ["gate", "up"].map((part) => linear(context, `${name}.${part}`, q));
  return linear(context, `${name}.down`, build.mul(activations["silu"](gate), up));
}

/** Weights of one layer's attention. */
export function attentionSpecs(config: TransformerConfig, at: number): TensorSpec[] {
  const { width, heads, kvHeads, valueHeads, headDim, queryWidth, convolution, attention } = config;
  const prefix = `blocks.${at}.attn.`;
  const { gates = {} } = attention[at].mechanism;
  const asking = heads * headDim;
  return [
    ...(convolution > 0 ? [{ name: `${prefix}convolution.weight`, shape: [convolution, width] }] : []),
    ...linearSpecs(`${prefix}qkv`, width, (heads + kvHeads + valueHeads) * headDim),
    ...(queryWidth > 0
      ? [
          ...linearSpecs(`${prefix}query.gate`, asking, queryWidth),
          ...linearSpecs(`${prefix}query.up`, asking, queryWidth),
          ...linearSpecs(`${prefix}query.down`, queryWidth, asking),
        ]
      : []),
    ...Object.entries(gates).flatMap(([name, gate]) =>
      linearSpecs(`${prefix}gate.${name}`, width, gateChannels(gate, config)),
    ),
    ...Object.entries(parametersOf(config, at)).map(([name, { shape }]) => ({ name: `${prefix}${name}`, shape })),
    ...linearSpecs(`${prefix}out`, asking, width),
  ];
}

/**
 * What one layer's attention writes.
 *
 * Shapes   x [B,T,M], what it reads · source [B,T,M], what queries and keys are made of where that is not x → [B,T,M]
 */
export function attentionOf(
  context: GraphContext,
  config: TransformerConfig,
  at: number,
  x: Value,
  source: Value | undefined,
): Value {
  const { heads, kvHeads, valueHeads, headDim, queryWidth, convolution, unitKeys, positions, length, causal } = config;
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
  const cut = (from: number, count: number): Value => build.slice(all, 2, from * headDim, (from + count) * headDim);
  const part = (from: number, count: number): Value => splitHeads(cut(from, count), count);
  const turned = (which: "q" | "k", made: Value): Value => {
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
    q: turned(
      "q",
      queryWidth > 0 ? splitHeads(augmented(context, name("query"), cut(0, heads)), heads) : part(0, heads),
    ),
    k: turned("k", part(heads, kvHeads)),
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
