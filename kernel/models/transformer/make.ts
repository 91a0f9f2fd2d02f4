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

/** Options of a mechanism by their names. */
export type MechanismOptions = Readonly<Record<string, unknown>>;

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
  /** Options of the mechanisms, for all layers, of which each takes those that it knows; or one entry per layer. */
  readonly mechanismOptions?: MechanismOptions | readonly MechanismOptions[];
  /** Heads of keys and values; default as many as heads. */
  readonly kvHeads?: number;
  /** Heads of values, where not as many as of keys (DiffQKV, arXiv:2501.13629 §2). */
  readonly valueHeads?: number;
  /** Default width / heads. */
  readonly headDim?: number;
  /**
   * What every layer makes its queries and keys of, or one entry per layer; values are always made of the stream.
   * `"stream"`: what the layer reads; `"embeddings"`: the stream before the first layer; `"noise"`, `"text"`: what the layers
   * below make of vectors that are drawn once for each position, or of the text of `fixedIds`, whatever the prompt;
   * `"random"`: a vector that is drawn once for each token of the vocabulary. What is drawn is not learned. Default
   * `"stream"`. Deconstructing Attention, arXiv:2510.11602: `"noise"` is its RndEmbQK (eq. 9–10), `"text"` its FixedSeqQK
   * (eq. 11–12), `"embeddings"` its StaticEmbQK (eq. 13); `"random"` is not among its variants.
   */
  readonly queriesFrom?: QuerySource | readonly QuerySource[];
  /** The tokens of the text for `queriesFrom: "text"`, as many as `length`. */
  readonly fixedIds?: readonly number[];
  /**
   * Hidden units of a gated MLP that queries pass before they are turned by their positions, down(silu(gate(q)) ⊙ up(q));
   * default 0, none. DiffQKV's augmented Q, arXiv:2501.13629 §2, App. E: 3072 for a width of 2048.
   */
  readonly queryWidth?: number;
  /** `"learned"`, `"rotary"`, `"alibi"` or `"none"`; default `"learned"`. */
  readonly positions?: TransformerConfig["positions"];
  /** Hidden units of each MLP, 0 for none; default 4 · width. */
  readonly mlpWidth?: number;
  /** Whether the MLP is down(act(gate) ⊙ up) instead of down(act(up)); default false. */
  readonly gatedMlp?: boolean;
  /** Default `"gelu"`; `"linear"` is none. */
  readonly activation?: string;
  /** `"layer"`, `"rms"`, `"simpleRms"` (SRMSNorm, without weights) or `"none"`; default `"layer"`. */
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
  ...["headDim", "queriesFrom", "fixedIds", "queryWidth", "gatedMlp"],
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

/** The options of each layer's mechanism, by which it differs from its defaults. */
export function optionsPerLayer(
  given: NonNullable<TransformerOptions["mechanismOptions"]>,
  units: readonly Pick<Mechanism, "defaults">[],
): readonly MechanismOptions[] {
  const place = "transformer: mechanismOptions";
  const isShared = (options: typeof given): options is MechanismOptions => !Array.isArray(options);
  if (isShared(given)) {
    const known = units.flatMap(({ defaults }) => Object.keys(defaults));
    checkOptions(place, given, known);
    const ownOf = ({ defaults }: (typeof units)[number]): MechanismOptions =>
      Object.fromEntries(Object.entries(given).filter(([name]) => Object.hasOwn(defaults, name)));
    return units.map(ownOf);
  }
  if (given.length !== units.length)
    throw new OptionError(
      `transformer: expected mechanismOptions for each of ${units.length} layers, got ${given.length}`,
    );
  units.forEach(({ defaults }, at) => checkOptions(`${place} of layer ${at}`, given[at], Object.keys(defaults)));
  return given;
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
  const ownOptions = optionsPerLayer(mechanismOptions, units);
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
    attention: units.map((unit, at) => ({
      mechanism: unit,
      options: unit.optionsOf(ownOptions[at]) as Record<string, unknown>,
    })),
    fixedIds: options.fixedIds ?? [],
    queryWidth: whole("queryWidth", options.queryWidth ?? 0, 0),
    gatedMlp: options.gatedMlp ?? false,
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
