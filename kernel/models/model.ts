import type { Engine, RunSettings, Value } from "../graph/index.js";
import { build, gradients } from "../graph/index.js";
import type { Tensor } from "../tensor/index.js";
import { checkOptions, OptionError, showWith, UnsupportedError } from "../tensor/index.js";
import type { Provenance } from "../views/index.js";
import type { Address } from "./addresses.js";
import { isOnDemand, resolveAddresses } from "./addresses.js";
import { continuation } from "./continuation.js";
import { describeSizes } from "./describe.js";
import { Description } from "./description.js";
import type { Batch, Blueprint } from "./family.js";
import { timeLabels } from "./feeds.js";
import type { Edit, Forward } from "./forward.js";
import { forward } from "./forward.js";
import type { Writer } from "./generate.js";
import { generate } from "./generate.js";
import type { Generation } from "./generation.js";
import type { GenerationConfig } from "./generationRules.js";
import { gateFeeds, gateHeads, headEdits, outputOf } from "./headGates.js";
import type { Host } from "./host.js";
import type { ModelInput, Prepared } from "./input.js";
import { prepare } from "./input.js";
import { pictureLabels } from "./patches.js";
import { preparePictures, withPixels } from "./pictureInput.js";
import type { PictureSource } from "./pictures/picture.js";
import type { PictureReader } from "./pictures/reader.js";
import { levelsOf } from "./levels.js";
import { nextTokenLoss } from "./nextToken.js";
import type { ComputeOptions, GenerateOptions, GradientOptions, Gradients, RunOptions } from "./options.js";
import { preparePair } from "./pairInput.js";
import { decoderAlone } from "./pairReader.js";
import { overQueries } from "./queryBlocks.js";
import { handOver, takers } from "./takers.js";
import { Run, type Sharing } from "./run.js";
import { Sessions } from "./sessions.js";
import type { GraphEdit, Site } from "./site.js";
import { outputsOf, sortInterventions, writeRun } from "./written.js";
import type { WrittenRun } from "./written.js";
import { singleToken } from "./singleToken.js";
import { partsOf, writesText } from "./stacks.js";
import type { Tokenizer } from "./tokenizer.js";

/** What a model is made of; `load` puts it together. */
export interface ModelParts extends Pick<Host, "interruptSignal">, Sharing {
  readonly name: string;
  readonly blueprint: Blueprint;
  readonly weights: ReadonlyMap<string, Value>;
  readonly tokenizer: Tokenizer | undefined;
  /** What ends a generated text, and what rules its tokens. */
  readonly generation: GenerationConfig;
  /** Makes pixel values of pictures; undefined for models that read none, or do not say how. */
  readonly readPictures?: PictureReader | undefined;
  readonly engine: Engine;
  readonly provenance: () => Promise<Provenance>;
  /** What stands beside its weights in a model folder, by file name. */
  readonly texts: () => Promise<Readonly<Record<string, string>>>;
}

/** A loaded transformer. Immutable; its weights stay in their files until the first run. */
export class Model {
  readonly name: string;
  readonly architecture: string;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values; fewer than `heads` where several queries share them. */
  readonly kvHeads: number;
  /** Heads of values: as many as of keys, but for models made with another number. */
  readonly valueHeads: number;
  /** Size of one head's queries, keys and values. */
  readonly headDim: number;
  /** Size of the residual stream. */
  readonly width: number;
  /** Longest prompt, in tokens. */
  readonly positions: number;
  /** Whether a token sees only what comes before it. */
  readonly causal: boolean;
  readonly device: string;
  /** Every address that `capture` and `Run.at` know. */
  readonly addresses: readonly Address[];
  /** What it is made of, for those who make another model of it. */
  readonly parts: () => ModelParts;
  readonly #parts: ModelParts;
  readonly #forward: Forward;
  readonly #sessions: Sessions;

  constructor(parts: ModelParts) {
    const { blueprint } = parts;
    this.#parts = parts;
    this.parts = () => parts;
    this.#forward = forward(blueprint, parts.weights);
    this.#sessions = new Sessions({ ...parts, plain: this.#forward });
    this.name = parts.name;
    this.architecture = blueprint.architecture;
    this.layers = blueprint.layers;
    this.heads = blueprint.heads;
    this.kvHeads = blueprint.kvHeads ?? blueprint.heads;
    this.valueHeads = blueprint.valueHeads ?? this.kvHeads;
    this.headDim = blueprint.headDim;
    this.width = blueprint.width;
    this.positions = blueprint.positions;
    this.causal = blueprint.causal;
    this.device = parts.engine.device;
    this.addresses = [...this.#forward.values.keys()];
  }

  /**
   * Runs prompts or token ids. The outputs and every attention pattern are kept, other activations on request.
   *
   * Throws   OptionError, ShapeError on input or options that do not fit; EngineError when the run fails
   * Example  const run = await model.run("The cat sat on the mat.", { capture: ["blocks.*.attn.z"] })
   */
  async run(input: string | readonly string[] | ModelInput, options: RunOptions = {}): Promise<Run> {
    const known = [
      "capture",
      "onCapture",
      "patterns",
      "outputs",
      "interventions",
      "probes",
      "queriesPerBlock",
      "onProgress",
      "signal",
    ];
    checkOptions("run", options, known);
    const { capture = [], patterns = true, outputs: keepsOutputs = true, interventions = [], probes = [] } = options;
    const { signal = this.#parts.interruptSignal(), onProgress, onCapture } = options;
    const { blueprint, name, provenance, share } = this.#parts;
    const settings: RunSettings = signal ? { signal } : {};
    const { batch, texts } = await this.#prepare(input);
    const { edits: graphEdits, heads } = sortInterventions(interventions);
    const edits = headEdits(heads, blueprint);
    const asked = capture.flatMap((address) => resolveAddresses("capture", address, this.addresses));
    const outputNames = keepsOutputs ? this.#forward.outputs : [];
    const wanted = [...new Set([...outputNames, ...(patterns ? this.#all("pattern") : []), ...asked])].sort(
      (a, b) => this.addresses.indexOf(a) - this.addresses.indexOf(b),
    );

    const take = onCapture ? takers(asked, onCapture) : {};
    const feeds = blueprint.feeds(batch);
    const needClean = [...new Set(edits.filter(({ mode }) => mode === "mean").map(outputOf))];
    const clean = needClean.length > 0 ? await this.#sessions.compute(needClean, feeds, false, settings) : {};
    const gates = edits.length > 0 ? gateFeeds(edits, blueprint, batch, (address) => clean[address]) : {};
    const tokens = this.#tokensOf(batch);
    const decoderTokens = batch.decoder && this.#labels(batch.decoder);
    const { pictures } = blueprint;
    const pictureTokens = pictures?.sequence === "pictures" ? pictureLabels(pictures.grid, batch.patches!) : undefined;
    const read = { batch, texts, tokens, decoderTokens, pictureTokens };
    const again = async ({ interventions: more = [], ...other }: RunOptions): Promise<Run> =>
      this.run(input, { ...other, interventions: [...interventions, ...more] });
    const own = { label: (id: number) => this.#label(id), again, share };
    const common = { title: name, blueprint, ...read, addresses: this.addresses, provenance, ...own };
    if (graphEdits.length === 0 && probes.length === 0) {
      const captured = await this.#sessions.compute(wanted, { ...feeds, ...gates }, edits.length > 0, settings);
      return new Run({ ...common, captured: handOver(captured, take) });
    }
    const written = this.#write(batch, tokens, graphEdits, edits.length > 0);
    const { outputs, partsFrom } = outputsOf(written, wanted, probes);
    const blocks = overQueries(outputs, written.site, options, this.device);
    const allFeeds = { ...feeds, ...gates, ...written.feeds, ...blocks.feeds };
    // Weights that are laid out for faster products would lie there once per loop that reads them.
    const isFleeting = blocks.outputs !== outputs;
    const results = blocks.isLong
      ? await this.#sessions.inPieces(blocks, allFeeds, { ...settings, onProgress, take })
      : handOver(await this.#sessions.once(blocks.outputs, allFeeds, { ...settings, isFleeting }), take);
    return new Run({ ...common, ...partsFrom(results) });
  }

  /**
   * Values written on the model's own graph, from one pass that computes only what they need.
   *
   * Throws   OptionError, ShapeError on input or values that do not fit; EngineError when the pass fails
   * Example  await model.compute("A prompt.", ({ at }) => ({ norm: graph.build.reduceSum(at("embed")) }))
   */
  async compute(
    input: string | readonly string[] | ModelInput,
    write: (site: Site) => Readonly<Record<string, Value>>,
    options: ComputeOptions = {},
  ): Promise<Readonly<Record<string, Tensor>>> {
    checkOptions("compute", options, ["interventions", "queriesPerBlock", "repeated", "onProgress", "signal"]);
    const { interventions = [], repeated = false, signal = this.#parts.interruptSignal(), onProgress } = options;
    const { blueprint } = this.#parts;
    const { batch } = await this.#prepare(input);
    const written = this.#write(batch, this.#tokensOf(batch), interventions, false);
    const asked = write(written.site);
    const { outputs, feeds, joins, isLong } = overQueries(asked, written.site, options, this.device);
    const settings: RunSettings = signal ? { signal } : {};
    const allFeeds = { ...blueprint.feeds(batch), ...written.feeds, ...feeds };
    return isLong
      ? this.#sessions.inPieces({ outputs, joins }, allFeeds, { ...settings, onProgress })
      : this.#sessions.once(outputs, allFeeds, { ...settings, isFleeting: !repeated || outputs !== asked });
  }

  /**
   * Derivatives of a scalar with respect to activations.
   *
   * Shapes   as `Run.at` of the same address
   * Example  await model.gradients("A prompt.", { of: ({ at }, g) => g.reduceSum(at("logits")), at: ["blocks.0.attn.z"] })
   */
  async gradients(input: string | readonly string[] | ModelInput, options: GradientOptions): Promise<Gradients> {
    checkOptions("gradients", options, ["of", "at", "signal"]);
    const { of, at, signal = this.#parts.interruptSignal() } = options;
    const { blueprint, engine, weights } = this.#parts;
    const one = (address: Address): Address => {
      const [first, ...more] = resolveAddresses("gradients", address, this.addresses);
      if (more.length > 0) throw new OptionError(`gradients: "${address}" means several activations; name one`);
      return first;
    };
    const asked = [...new Set(at.flatMap((address) => resolveAddresses("gradients", address, this.addresses)))];
    // What is computed on demand lies on the way to the loss only where it is edited.
    const onDemand = asked.filter(isOnDemand);
    const placed: Edit = (address, value) => (onDemand.includes(address) ? build.apply("Identity", [value]) : value);
    const { values } = onDemand.length > 0 ? forward(blueprint, weights, placed) : this.#forward;
    const loss = of === "loss" ? this.#loss(values) : of({ at: (address) => values.get(one(address))! }, build);
    const derivatives = gradients(
      loss,
      asked.map((address) => values.get(address)!),
    );
    const outputs = Object.fromEntries(derivatives.map((d, i) => [`grad ${asked[i]}`, d]));
    const { batch } = await this.#prepare(input);
    const settings: RunSettings = signal ? { signal } : {};
    const compiled = await engine.compile({ ...outputs, value: loss }, { ...settings, isFleeting: true });
    try {
      const results = await compiled.run(blueprint.feeds(batch), undefined, settings);
      return {
        value: results["value"].item(),
        at: (address) => {
          const tensor = results[`grad ${one(address)}`];
          if (!tensor) throw new OptionError(`gradients: "${address}" was not asked for; got ${asked.join(", ")}`);
          return tensor;
        },
      };
    } finally {
      await compiled.dispose();
    }
  }

  /**
   * Continues prompts, each from its own end; padding is left out, positions count real tokens. Takes the most likely
   * token at each step, or draws one with a temperature. Keys and values of earlier tokens are kept.
   *
   * Throws   OptionError for a model that does not predict next tokens; ShapeError where positions run out
   * Example  (await model.generate("Once upon a time", { maxNewTokens: 20 })).texts[0]
   */
  async generate(input: string | readonly string[] | ModelInput, options: GenerateOptions): Promise<Generation> {
    const { blueprint, weights, tokenizer, generation, provenance } = this.#parts;
    const signal = options.signal ?? this.#parts.interruptSignal();
    const writer: Writer = {
      title: this.name,
      blueprint,
      generation,
      predicts: this.#forward.values.has("logits"),
      prepare: async () => (await this.#prepare(input, true)).batch,
      label: (id) => this.#label(id),
      decode: (ids) => tokenizer?.decode(ids),
      provenance,
      whole: (settings) => async (feeds, wanted) => this.#sessions.compute(wanted, feeds, false, settings),
      continued: (settings) => async (feeds, wanted) => {
        const session = await this.#sessions.known("continued", () => continuation(blueprint, weights), settings);
        return session.run(feeds, wanted, settings);
      },
      encoded: (settings) => async (feeds, wanted) => {
        const outputs = (): Record<string, Value> =>
          Object.fromEntries(wanted.map((name) => [name, this.#forward.values.get(name)!]));
        return (await this.#sessions.known("encoder", outputs, settings)).run(feeds, wanted, settings);
      },
      decoded: (settings) => async (feeds, wanted) => {
        const session = await this.#sessions.known("decoder", () => decoderAlone(blueprint, weights), settings);
        return session.run(feeds, wanted, settings);
      },
    };
    return generate(writer, { ...options, ...(signal ? { signal } : {}) });
  }

  /**
   * The id of a text that is one token, special tokens aside. A leading space belongs to it.
   *
   * Throws   OptionError when the text is several tokens; UnsupportedError without a tokenizer
   */
  tokenId(text: string): number {
    return singleToken(this.#parts.tokenizer, text);
  }

  /** Where its numbers come from: name, hash of the weights, tokenizer, device, number format, versions. */
  async provenance(): Promise<Provenance> {
    return this.#parts.provenance();
  }

  /** The model in text: its sizes, and every address with the shape of its activation, as a tree. */
  describe(): string {
    return this.diagram().toString();
  }

  /** The same as plain values, which show themselves as a diagram; so does the model itself. */
  diagram(): Description {
    const { name, architecture, device } = this;
    const { blueprint, provenance } = this.#parts;
    return new Description({
      title: `${name} (${architecture})`,
      sizes: describeSizes(blueprint, device),
      levels: levelsOf(this.#forward.values),
      notes: blueprint.notes ?? [],
      provenance,
    });
  }

  /**
   * What `run` takes as `pixelValues`, made as the model's preprocessor_config.json says.
   *
   * Shapes   pictures → [picture,channel,height,width]
   * Throws   OptionError for a model that reads no pictures; UnsupportedError where it does not say how;
   *          FormatError, UnsupportedError on files that are not pictures
   * Example  const pixelValues = await model.pixelValues(["cat.png", "dog.jpg"])
   */
  async pixelValues(pictures: PictureSource | readonly PictureSource[]): Promise<Tensor> {
    const { blueprint, readPictures, name } = this.#parts;
    if (!blueprint.pictures) throw new OptionError(`pixelValues: ${this.architecture} reads no pictures`);
    if (!readPictures) {
      throw new UnsupportedError(`pixelValues: ${name} has no preprocessor_config.json; pass { pixelValues } to run`);
    }
    return readPictures(pictures);
  }

  /** Gives the memory of all sessions back; the next run loads again. */
  async dispose(): Promise<void> {
    await this.#sessions.dispose();
  }

  async #prepare(input: string | readonly string[] | ModelInput, writes = false): Promise<Prepared> {
    const { blueprint, tokenizer } = this.#parts;
    const { decoder, pictures } = blueprint;
    if (pictures) {
      const read = await withPixels(input, (images) => this.pixelValues(images));
      return preparePictures(read, { ...blueprint, pictures }, tokenizer);
    }
    return decoder
      ? preparePair(input, { ...blueprint, decoder }, tokenizer, writes)
      : prepare(input, blueprint, tokenizer);
  }

  #label(id: number): string {
    return this.#parts.tokenizer?.label(id) ?? String(id);
  }

  #labels({ length, inputIds }: Pick<Batch, "length" | "inputIds">): readonly (readonly string[])[] {
    return Array.from({ length: inputIds.length / length }, (_, b) =>
      Array.from(inputIds.subarray(b * length, (b + 1) * length), (id) => this.#label(id)),
    );
  }

  #tokensOf(batch: Batch): readonly (readonly string[])[] {
    const { pictures } = this.#parts.blueprint;
    if (pictures?.sequence === "prompt") return pictureLabels(pictures.grid, batch.patches!);
    return batch.features ? timeLabels(batch) : this.#labels(batch);
  }

  #write(
    batch: Batch,
    tokens: readonly (readonly string[])[],
    edits: readonly GraphEdit[],
    gated: boolean,
  ): WrittenRun {
    const { blueprint, weights } = this.#parts;
    const tokenId = (text: string): number => this.tokenId(text);
    const first = gated ? gateHeads(blueprint) : undefined;
    return writeRun({ blueprint, weights, untouched: this.#forward, batch, tokens, tokenId, edits, first });
  }

  #loss(values: Forward["values"]): Value {
    const { blueprint } = this.#parts;
    const logits = values.get("logits");
    if (!writesText(blueprint) || !logits)
      throw new OptionError(`gradients: ${blueprint.architecture} does not predict next tokens; pass a metric`);
    return nextTokenLoss(logits);
  }

  #all(part: "pattern"): readonly Address[] {
    return [...partsOf(this.#parts.blueprint, part).keys()];
  }
}

showWith(Model.prototype, (model) => model.diagram().bundle());
