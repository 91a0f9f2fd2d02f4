import { mechanisms as registry } from "../../attention/index.js";
import type { Mechanism } from "../../attention/index.js";
import { FormatError, knownNames, OptionError } from "../../tensor/index.js";
import { choice, count, flag, maybe, readConfig, words } from "../config.js";
import type { Field } from "../config.js";
import type { JsonObject } from "../json.js";
import { activations } from "../layers.js";

/** What `architectures` of config.json says of a transformer made here. */
export const architecture = "AttentionLabTransformer";

export const positionKinds = ["learned", "rotary", "alibi", "none"] as const;
export const normKinds = ["layer", "rms", "simpleRms", "none"] as const;
export const queryKinds = ["stream", "embeddings", "random", "noise", "text"] as const;

/** How one layer attends. */
export interface LayerAttention {
  readonly mechanism: Mechanism;
  readonly options: Readonly<Record<string, unknown>>;
}

/** The sizes and parts of a transformer made of mechanisms. */
export interface TransformerConfig {
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys. */
  readonly kvHeads: number;
  readonly valueHeads: number;
  readonly headDim: number;
  readonly width: number;
  /** Hidden units of each MLP; 0 for none. */
  readonly mlpWidth: number;
  /** Whether an MLP is down(act(gate) ⊙ up) instead of down(act(up)). */
  readonly gatedMlp: boolean;
  readonly activation: string;
  readonly norm: (typeof normKinds)[number];
  readonly positions: (typeof positionKinds)[number];
  readonly vocabulary: number;
  /** Longest prompt, in tokens. */
  readonly length: number;
  /** One per layer. */
  readonly attention: readonly LayerAttention[];
  /** What queries and keys are made of, one per layer; values are always made of the stream. */
  readonly queriesFrom: readonly (typeof queryKinds)[number][];
  /** The tokens of the text that queries and keys are made of where that is "text", one per position. */
  readonly fixedIds: readonly number[];
  /** Hidden units of the gated MLP that queries pass; 0 for none. */
  readonly queryWidth: number;
  /** Tokens that a causal convolution per channel mixes before queries, keys and values are made; 0 for none. */
  readonly convolution: number;
  /** Whether each head's queries and keys are brought to length 1. */
  readonly unitKeys: boolean;
  readonly causal: boolean;
  /** Whether the unembedding is the embedding table. */
  readonly tied: boolean;
  readonly endId: number | null;
}

/** A mechanism by its name; throws OptionError on one that is not registered. */
export function mechanismNamed(place: string, name: string): Mechanism {
  const known: Readonly<Record<string, Mechanism>> = registry;
  if (!Object.hasOwn(known, name))
    throw new OptionError(`${place}: unknown mechanism "${name}"${knownNames(name, Object.keys(known))}`);
  return known[name];
}

function attentionField(layers: number): Field<readonly LayerAttention[]> {
  const one = (entry: unknown): LayerAttention | undefined => {
    const { mechanism, options = {} } = (entry ?? {}) as { mechanism?: unknown; options?: Record<string, unknown> };
    if (typeof mechanism !== "string") return undefined;
    const unit = mechanismNamed("load", mechanism);
    return { mechanism: unit, options: unit.optionsOf(options) as Record<string, unknown> };
  };
  return {
    expected: `a list of ${layers} objects { mechanism, options }`,
    read: (value) => {
      const found = Array.isArray(value) ? value.map(one) : [];
      return found.length === layers && found.every((entry) => entry !== undefined) ? found : undefined;
    },
  };
}

const whole: Field<number> = {
  expected: "a whole number of at least 0",
  read: (value) => (Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined),
};

const fixedIds: Field<readonly number[]> = {
  expected: "a list of token ids",
  read: (value) => (Array.isArray(value) && value.every((id) => whole.read(id) !== undefined) ? value : undefined),
  fallback: [],
};

/** A transformer as config.json says it. */
export function readTransformer(json: JsonObject): TransformerConfig {
  const [layers, kvHeads] = ["layers", "kvHeads"].map((name) => (typeof json[name] === "number" ? json[name] : 0));
  const fields = {
    ...{ layers: count(), heads: count(), kvHeads: count(), headDim: count(), width: count(), mlpWidth: whole },
    activation: choice(Object.keys(activations), "gelu"),
    norm: choice(normKinds, "layer"),
    positions: choice(positionKinds, "learned"),
    ...{ vocabulary: count(), length: count() },
    valueHeads: count(kvHeads),
    attention: attentionField(layers),
    queriesFrom: { ...words(queryKinds), fallback: new Array<"stream">(layers).fill("stream") },
    fixedIds,
    ...{ queryWidth: { ...whole, fallback: 0 }, gatedMlp: flag(false), convolution: { ...whole, fallback: 0 } },
    ...{ unitKeys: flag(false), causal: flag(true), tied: flag(false), endId: maybe(whole) },
  };
  return readConfig<TransformerConfig>("transformer", json, fields, ["provenance"]);
}

/**
 * The same as config.json.
 *
 * Throws   FormatError where a mechanism is not registered: it could not be found again
 */
export function writeTransformer(config: TransformerConfig): JsonObject {
  const { attention, ...rest } = config;
  const known: Readonly<Record<string, Mechanism>> = registry;
  const unknown = attention.find(({ mechanism }) => known[mechanism.name] !== mechanism);
  if (unknown) {
    throw new FormatError(
      `save: the mechanism "${unknown.mechanism.name}" is not in the registry, so that load could not find it; keep the model in memory`,
    );
  }
  return {
    architectures: [architecture],
    ...rest,
    attention: attention.map(({ mechanism, options }) => ({ mechanism: mechanism.name, options })),
  };
}
