import { showWith } from "../tensor/index.js";
import type { MimeBundle, Tensor } from "../tensor/index.js";
import { generation, generationMime, generationText, type Provenance } from "../views/index.js";

/** One token as it was chosen. */
export interface GeneratedToken {
  readonly prompt: number;
  /** 0 is the first new token. */
  readonly step: number;
  readonly id: number;
  /** As a reader should see it. */
  readonly label: string;
}

/** What a text was written from. */
export interface GenerationParts extends Pick<
  Generation,
  "ids" | "tokens" | "texts" | "logits" | "patterns" | "prompts"
> {
  /** The model's name. */
  readonly title: string;
  readonly label: (id: number) => string;
  readonly provenance: () => Promise<Provenance>;
}

/** What a model wrote. Shows itself as a timeline: each new token, its chance, and where it looked. */
export class Generation {
  /** Labels of the tokens that were given, per prompt. */
  readonly prompts: readonly (readonly string[])[];
  /** New token ids per prompt; a text that ended has its end token last. */
  readonly ids: readonly (readonly number[])[];
  /** Their labels. */
  readonly tokens: readonly (readonly string[])[];
  /** The new text per prompt; undefined without a tokenizer. */
  readonly texts: readonly (string | undefined)[];
  /** What each new token was chosen from, before any rule: per prompt [token, vocab]. */
  readonly logits: readonly Tensor[];
  /**
   * Per prompt and new token the attention of the position that it was chosen at, [layer, head, key] over the text so far;
   * empty unless `patterns` was asked for.
   */
  readonly patterns: readonly (readonly Tensor[])[];
  readonly #title: string;
  readonly #label: (id: number) => string;
  readonly #provenance: () => Promise<Provenance>;

  constructor(parts: GenerationParts) {
    this.prompts = parts.prompts;
    this.ids = parts.ids;
    this.tokens = parts.tokens;
    this.texts = parts.texts;
    this.logits = parts.logits;
    this.patterns = parts.patterns;
    this.#title = parts.title;
    this.#label = parts.label;
    this.#provenance = parts.provenance;
  }

  /** The figure: probability and entropy of each choice, before any rule, and the attention where it was kept. */
  async bundle(): Promise<MimeBundle> {
    const { prompts, tokens, ids, logits, patterns } = this;
    // A picture takes more places in the text that attends than the prompt has tokens: there are no labels for them.
    const isLabelled = patterns.every((steps, text) =>
      steps.every(({ shape }, step) => shape[2] === prompts[text].length + step),
    );
    const hasPatterns = isLabelled && patterns.every((steps, text) => steps.length === tokens[text].length);
    const [layers, heads] = hasPatterns ? patterns[0][0].shape : [];
    const payload = generation({
      title: `What ${this.#title} wrote`,
      texts: prompts.map((prompt, text) => ({
        ...{ prompt, tokens: tokens[text], chosen: ids[text] },
        logits: (step: number) => logits[text].at(step).data as ArrayLike<number>,
      })),
      label: this.#label,
      attention: hasPatterns
        ? { layers, heads, weights: (text, step, layer, head) => patterns[text][step].at(layer, head).data as ArrayLike<number> } // prettier-ignore
        : undefined,
      provenance: await this.#provenance(),
      notes: ["Chances and entropies are those of the logits, before rules and temperature."],
    });
    return { [generationMime]: payload, "text/plain": generationText(payload) };
  }
}

showWith(Generation.prototype, (written) => (written.ids.length > 0 ? written.bundle() : { "text/plain": "nothing" }));
