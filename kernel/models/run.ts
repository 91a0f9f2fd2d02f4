import { checkOptions, knownNames, OptionError, showWith } from "../tensor/index.js";
import type { MimeBundle, Tensor } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import { resolveAddresses } from "./addresses.js";
import type { Batch, Blueprint } from "./family.js";
import { nextIds } from "./feeds.js";
import { logSoftmax, lossPerToken } from "./nextToken.js";
import { heardSound, type HeardSound } from "./heardSound.js";
import type { HeadPlaceInRun } from "./headPattern.js";
import { headPattern } from "./headPattern.js";
import type { RunOptions } from "./options.js";
import { gridsOf, isSigned } from "./runGrids.js";
import { seenPicture, type SeenPicture } from "./seenPicture.js";
import type { EditReport } from "./site.js";
import type { AttentionStack, Sequence } from "./attentionStack.js";
import { partsOf, realPositions, stacksOf, writesText } from "./stacks.js";

/** What one run of a model left behind. */
export interface RunParts {
  readonly title: string;
  readonly blueprint: Blueprint;
  readonly batch: Batch;
  readonly texts: readonly (string | undefined)[];
  readonly tokens: readonly (readonly string[])[];
  /** The same for the decoder of an encoder–decoder model. */
  readonly decoderTokens: readonly (readonly string[])[] | undefined;
  /** The same for pictures that are read beside a text. */
  readonly pictureTokens: readonly (readonly string[])[] | undefined;
  /** By address. */
  readonly captured: Readonly<Record<Address, Tensor>>;
  /** Every address that the model has. */
  readonly addresses: readonly Address[];
  readonly reports?: readonly EditReport[];
  /** By the name of the probe. */
  readonly probes?: Readonly<Record<string, Tensor>>;
  readonly provenance: () => Promise<Readonly<Record<string, string | number>>>;
  /** The text of a token id, or of a class that the model predicts. */
  readonly label: (id: number) => string;
  /** The same input through the same model once more, with the same interventions before the given ones. */
  readonly again: (options: RunOptions) => Promise<Run>;
  readonly share: Sharing["share"];
}

/** Lets the figures of runs ask for more of them. */
export interface Sharing {
  /** Keeps a run that is shown and names it; undefined where nobody can ask. */
  readonly share?: ((run: Run) => string | undefined) | undefined;
}

/** What a figure of a run says of where it comes from. */
export interface RunHeading {
  readonly title: string;
  readonly provenance: Readonly<Record<string, string | number>>;
  /** undefined where nobody can ask for more. */
  readonly sharedAs: string | undefined;
}

/** The result of a run: every captured activation by its address. Shows itself as the grid of all heads. */
export class Run {
  /** Token labels per prompt, padding included, so that they line up with the axes of the tensors. */
  readonly tokens: readonly (readonly string[])[];
  /** The same for the tokens that the decoder of an encoder–decoder model read; undefined for other models. */
  readonly decoderTokens: readonly (readonly string[])[] | undefined;
  /** The same for the patches of pictures that were read beside a text; undefined for other models. */
  readonly pictureTokens: readonly (readonly string[])[] | undefined;
  readonly #parts: RunParts;

  constructor(parts: RunParts) {
    this.tokens = parts.tokens;
    this.decoderTokens = parts.decoderTokens;
    this.pictureTokens = parts.pictureTokens;
    this.#parts = parts;
  }

  /** Addresses that were captured. */
  get addresses(): readonly Address[] {
    return Object.keys(this.#parts.captured);
  }

  /**
   * A captured activation. The spelling with `hook_` is accepted.
   *
   * Shapes   q, k, v, z [B,H,Q,D] · scores, pattern [B,H,Q,K] · resid_pre, resid_post, mlp_out … [B,Q,M]
   * Throws   OptionError on an address that the model does not have, or that this run did not capture
   * Example  run.at("blocks.0.attn.pattern").slice(0, 3)
   */
  at(address: Address): Tensor {
    const { captured, addresses } = this.#parts;
    const found = resolveAddresses("run.at", address, addresses);
    if (found.length > 1) throw new OptionError(`run.at: "${address}" means ${found.length} activations; ask for one`);
    const tensor = captured[found[0]];
    if (!tensor) {
      throw new OptionError(
        `run.at: "${found[0]}" was not captured; ask for it: model.run(input, { capture: ["${found[0]}"] })`,
      );
    }
    return tensor;
  }

  /** What each intervention did to how much, in the order in which they acted. */
  get reports(): readonly EditReport[] {
    return this.#parts.reports ?? [];
  }

  /**
   * What a probe of this run measured, by its name.
   *
   * Throws   OptionError on a probe that this run did not have
   */
  probe(name: string): Tensor {
    const { probes = {} } = this.#parts;
    if (!Object.hasOwn(probes, name)) {
      throw new OptionError(`run.probe: no probe "${name}"${knownNames(name, Object.keys(probes))}`);
    }
    return probes[name];
  }

  /** [B,Q,vocab]; throws OptionError for a model without a prediction head. */
  get logits(): Tensor {
    const { captured, blueprint, addresses } = this.#parts;
    if (!captured["logits"] && addresses.includes("logits")) {
      throw new OptionError("run.logits: this run left its outputs out; run again without { outputs: false }");
    }
    if (!captured["logits"]) throw new OptionError(`run.logits: ${blueprint.architecture} has no prediction head`);
    return captured["logits"];
  }

  /**
   * ln p of every token at every position, [B,Q,vocab]; computed at each call.
   *
   * Units    nats
   * Throws   OptionError for a model without a prediction head
   */
  get logProbs(): Tensor {
    return logSoftmax(this.logits);
  }

  /**
   * −ln p of each next token, [B,Q−1]; NaN where a token or its next is padding. For an encoder–decoder model −ln p of
   * each label, [B,Q]; NaN where there is none.
   *
   * Units    nats
   * Throws   OptionError unless the model predicts the next token
   */
  get lossPerToken(): Tensor {
    const { blueprint, batch } = this.#parts;
    if (!writesText(blueprint)) {
      throw new OptionError(`run.lossPerToken: ${blueprint.architecture} does not predict next tokens`);
    }
    const { decoder, length } = batch;
    return decoder
      ? lossPerToken(this.logits, decoder.labels, decoder.length)
      : lossPerToken(this.logits, nextIds(batch), length - 1);
  }

  /**
   * Mean of `lossPerToken` over the next tokens of all prompts; undefined for a model that predicts none.
   *
   * Units    nats
   */
  get loss(): number | undefined {
    const { blueprint, captured } = this.#parts;
    if (!writesText(blueprint) || !captured["logits"]) return undefined;
    const counted = this.lossPerToken.numbers().filter((loss) => !Number.isNaN(loss));
    return counted.length === 0 ? undefined : counted.reduce((sum, loss) => sum + loss, 0) / counted.length;
  }

  /** The kinds of attention of the model, one in most models. */
  get stacks(): readonly AttentionStack[] {
    return stacksOf(this.#parts.blueprint);
  }

  /** Bytes of all that was captured. */
  get sizeBytes(): number {
    return Object.values(this.#parts.captured).reduce((sum, { data }) => sum + data.byteLength, 0);
  }

  /** The text of a token id. */
  label(id: number): string {
    return this.#parts.label(id);
  }

  /**
   * One head's weights for one prompt, padding left out.
   *
   * Shapes   [Q,K]
   * Throws   OptionError on a head that the model does not have, or where patterns were left out
   * Example  run.headPattern({ layer: 5, head: 1 })
   */
  headPattern(place: HeadPlaceInRun): Tensor<"float32"> {
    checkOptions("headPattern", place, ["stack", "layer", "head", "prompt"]);
    return headPattern(this, place);
  }

  /**
   * The same input through the same model once more, with the interventions of this run before those of `options`.
   *
   * Example  await run.again({ interventions: [interventions.zeroZ({ layer: 5, head: 1 })] })
   */
  async again(options: RunOptions = {}): Promise<Run> {
    return this.#parts.again(options);
  }

  /** Positions of a prompt, or of what the decoder read for it, that are not padding. */
  realPositions(prompt: number, sequence: Sequence = "prompt"): readonly number[] {
    return realPositions(this.#parts.batch, prompt, sequence);
  }

  /**
   * A picture that was read, as the model saw it: resized and cropped, its values stretched to 0 … 255.
   *
   * Throws   OptionError where no picture was read, or there are not so many
   */
  picture(index: number = 0): SeenPicture {
    return seenPicture(this.#parts.blueprint, this.#parts.batch, index);
  }

  /**
   * A sound that was read, as the model heard it.
   *
   * Throws   OptionError where no sound was read, or there are not so many
   */
  sound(index: number = 0): HeardSound {
    return heardSound(this.#parts.blueprint, this.#parts.batch, index);
  }

  /** The name under which the kernel finds this run again for its figures; undefined where nobody can ask. */
  get sharedAs(): string | undefined {
    return this.#parts.share?.(this);
  }

  /** The labels at those positions, or of the patches of its picture. */
  realTokens(prompt: number, sequence: Sequence = "prompt"): readonly string[] {
    const all = { prompt: this.tokens, decoder: this.decoderTokens, pictures: this.pictureTokens }[sequence];
    return this.realPositions(prompt, sequence).map((at) => all?.[prompt]?.[at] ?? "");
  }

  /** Whether one of its patterns has a negative weight, as some linear forms have: figures then draw sizes. */
  get isSigned(): boolean {
    return isSigned(this.#parts);
  }

  /** What a figure of this run says of where it comes from, and the name under which a kernel finds the run again. */
  async heading(): Promise<RunHeading> {
    const { title, provenance } = this.#parts;
    return { title, provenance: await provenance(), sharedAs: this.sharedAs };
  }

  /** The MIME bundle of the head grid, one per kind of attention; a line of text when the patterns were left out. */
  async bundle(): Promise<MimeBundle> {
    const { blueprint, title, captured } = this.#parts;
    if (![...partsOf(blueprint, "pattern").keys()].every((address) => captured[address])) {
      return { "text/plain": `Run of ${title}: ${this.addresses.join(", ")} (patterns were left out)` };
    }
    return gridsOf({ ...this.#parts, ...(await this.heading()) });
  }
}

showWith(Run.prototype, (run) => run.bundle());
