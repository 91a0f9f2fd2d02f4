import type { Mechanism } from "../../attention/index.js";
import { constant } from "../../graph/index.js";
import type { CancelSignal, Engine } from "../../graph/index.js";
import { checkOptions, knownNames, OptionError } from "../../tensor/index.js";
import type { Tensor } from "../../tensor/index.js";
import { activations } from "../layers.js";
import { Model } from "../model.js";
import { tokenizerOf as readTokenizer } from "../tokenizer.js";
import { unruled } from "../generationRules.js";
import { transformerBlueprint } from "./blueprint.js";
import type { TransformerConfig } from "./config.js";
import { mechanismNamed, normKinds, positionKinds, queryKinds, writeTransformer } from "./config.js";
import { initialWeights } from "./initial.js";
import type { MergedTokens } from "./vocabulary.js";
import { tokenizerOf } from "./vocabulary.js";

/** A mechanism, by its name or as a value. */
export type MechanismChoice = string | Mechanism;

/** What queries and keys are made of. */
export type QuerySource = TransformerConfig["queriesFrom"][number];

/** A transformer to make. */
export interface TransformerOptions {
  readonly layers: number;
  readonly heads: number;
  /** Size of the residual stream. */
  readonly width: number;
  /** The tokens themselves, those of `tasks.bpe`, or how many there are. */
  readonly vocabulary: number | readonly string[] | MergedTokens;
  /** Longest prompt, in tokens. */
  readonly length: number;
  /** How every layer attends, or one entry per layer; default `"softmax"`. */
  readonly mechanism?: MechanismChoice | readonly MechanismChoice[];
  /** Options of the mechanisms; of several, those that each knows. */
  readonly mechanismOptions?: Readonly<Record<string, unknown>>;
  /** Heads of keys and values; default as many as heads. */
  readonly kvHeads?: number;
  /** Heads of values, where not as many as of keys (DiffQKV, arXiv:2501.13629 §2.1). */
  readonly valueHeads?: number;
  /** Default width / heads. */
  readonly headDim?: number;
  /**
   * What every layer makes its queries and keys of, or one entry per layer; values are always made of the stream.
   * `"stream"`: what the layer reads; `"embeddings"`: the stream before the first layer; `"random"`: a vector that is drawn
   * once for each token of the vocabulary and not learned. Default `"stream"`. Deconstructing Attention, arXiv:2510.11602 §3:
   * static and random embeddings.
   */
  readonly queriesFrom?: QuerySource | readonly QuerySource[];
  /** `"learned"`, `"rotary"`, `"alibi"` or `"none"`; default `"learned"`. */
  readonly positions?: TransformerConfig["positions"];
  /** Hidden units of each MLP, 0 for none; default 4 · width. */
  readonly mlpWidth?: number;
  /** Default `"gelu"`. */
  readonly activation?: string;
  /** `"layer"`, `"rms"` or `"none"`; default `"layer"`. */
  readonly norm?: TransformerConfig["norm"];
  /** Tokens that a causal convolution per channel mixes before queries, keys and values are made; default 0, none. */
  readonly convolution?: number;
  /** Each head's queries and keys at length 1, as delta rules want them; default false. */
  readonly unitKeys?: boolean;
  /** Default true. */
  readonly causal?: boolean;
  /** Whether the unembedding is the embedding table; default false. */
  readonly tied?: boolean;
  /** A token that is put before every text. */
  readonly first?: string;
  /** Of the initial weights; default 0. */
  readonly seed?: number;
  /** Standard deviation of the initial embeddings; default 0.02. */
  readonly embedding?: number;
  /** Default `"transformer"`. */
  readonly name?: string;
}

/** What a model needs of the world. */
export interface Workshop {
  readonly engine: Engine;
  readonly interruptSignal: () => CancelSignal | undefined;
  readonly versions: () => Readonly<Record<string, string>>;
}

/** Names of the options. */
export const transformerOptions: readonly string[] = [
  ...["layers", "heads", "width", "vocabulary", "length", "mechanism", "mechanismOptions", "kvHeads", "valueHeads"],
  ...["headDim", "queriesFrom"],
  ...["positions", "mlpWidth", "activation", "norm", "convolution", "unitKeys", "causal", "tied", "first", "seed"],
  ...["embedding", "name"],
];

function whole(name: string, value: unknown, least: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  throw new OptionError(`transformer: ${name} must be a whole number of at least ${least}, got ${String(value)}`);
}

function oneOf<T extends string>(name: string, value: T, words: readonly T[]): T {
  if (words.includes(value)) return value;
  throw new OptionError(`transformer: unknown ${name} "${String(value)}"${knownNames(String(value), words)}`);
}

function configOf(options: TransformerOptions): TransformerConfig {
  checkOptions("transformer", options, transformerOptions);
  const { mechanism = "softmax", mechanismOptions = {}, first } = options;
  const tokens = tokensOf(options.vocabulary);
  const layers = whole("layers", options.layers, 1);
  const heads = whole("heads", options.heads, 1);
  const width = whole("width", options.width, 1);
  const choices: readonly MechanismChoice[] =
    typeof mechanism === "string" || !Array.isArray(mechanism)
      ? new Array<MechanismChoice>(layers).fill(mechanism as MechanismChoice)
      : mechanism;
  if (choices.length !== layers)
    throw new OptionError(`transformer: expected a mechanism for each of ${layers} layers, got ${choices.length}`);
  const { queriesFrom: given = "stream" } = options;
  const queriesFrom = typeof given === "string" ? new Array<QuerySource>(layers).fill(given) : given;
  const units = choices.map((each) => (typeof each === "string" ? mechanismNamed("transformer", each) : each));
  const knownOptions = units.flatMap(({ defaults }) => Object.keys(defaults));
  checkOptions("transformer: mechanismOptions", mechanismOptions, knownOptions);
  if (options.headDim === undefined && width % heads !== 0)
    throw new OptionError(`transformer: width must be a multiple of heads, got ${width} and ${heads}; or pass headDim`);
  return {
    ...{ layers, heads, width },
    kvHeads: whole("kvHeads", options.kvHeads ?? heads, 1),
    valueHeads: whole("valueHeads", options.valueHeads ?? options.kvHeads ?? heads, 1),
    queriesFrom: queriesFrom.map((source) => oneOf("queriesFrom", source, queryKinds)),
    headDim: whole("headDim", options.headDim ?? width / heads, 1),
    mlpWidth: whole("mlpWidth", options.mlpWidth ?? 4 * width, 0),
    activation: oneOf("activation", options.activation ?? "gelu", Object.keys(activations)),
    norm: oneOf("norm", options.norm ?? "layer", normKinds),
    positions: oneOf("positions", options.positions ?? "learned", positionKinds),
    vocabulary: whole("vocabulary", tokens?.length ?? options.vocabulary, 2),
    length: whole("length", options.length, 1),
    attention: units.map((unit) => {
      const own = Object.entries(mechanismOptions).filter(([name]) => Object.hasOwn(unit.defaults, name));
      return { mechanism: unit, options: unit.optionsOf(Object.fromEntries(own)) as Record<string, unknown> };
    }),
    convolution: whole("convolution", options.convolution ?? 0, 0),
    unitKeys: options.unitKeys ?? false,
    causal: options.causal ?? true,
    tied: options.tied ?? false,
    endId: first === undefined || !tokens ? null : tokens.indexOf(first),
  };
}

function tokensOf(vocabulary: TransformerOptions["vocabulary"]): readonly string[] | undefined {
  if (typeof vocabulary === "number") return undefined;
  return "merges" in vocabulary ? vocabulary.vocabulary : vocabulary;
}

/** A model of these weights; see `transformer` of the facade. */
export function makeTransformer(workshop: Workshop, options: TransformerOptions): Model {
  const config = configOf(options);
  const { vocabulary, first, name = "transformer", seed = 0, embedding = 0.02 } = options;
  const blueprint = transformerBlueprint(config);
  const tokenizer = typeof vocabulary === "number" ? undefined : tokenizerOf(vocabulary, first);
  const weights = initialWeights(config, blueprint, { seed, embedding });
  const { engine, interruptSignal, versions } = workshop;
  return new Model({
    name,
    blueprint,
    weights: held(weights),
    tokenizer: tokenizer && readTokenizer("vocabulary", tokenizer, {}),
    generation: unruled(blueprint.endIds ?? []),
    engine,
    interruptSignal,
    provenance: async () =>
      Promise.resolve({ model: name, seed, device: engine.device, dtype: engine.dtype, ...versions() }),
    texts: async () =>
      Promise.resolve({
        "config.json": jsonText(writeTransformer(config)),
        ...(tokenizer ? { "tokenizer.json": jsonText(tokenizer) } : {}),
      }),
  });
}

function jsonText(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Weights that lie in memory. */
export function held(weights: ReadonlyMap<string, Tensor>): ReadonlyMap<string, ReturnType<typeof constant>> {
  return new Map([...weights].map(([name, tensor]) => [name, constant(tensor)]));
}
