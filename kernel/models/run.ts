import { headGrid, headGridMime, headGridText } from "../views/index.js";
import { knownNames, OptionError, showWith } from "../tensor/index.js";
import type { MimeBundle, Tensor } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import { resolveAddresses } from "./addresses.js";
import type { Batch, Blueprint } from "./family.js";
import { logSoftmax, lossPerToken } from "./nextToken.js";
import type { EditReport } from "./site.js";

/** What one run of a model left behind. */
export interface RunParts {
  readonly title: string;
  readonly blueprint: Blueprint;
  readonly batch: Batch;
  readonly texts: readonly (string | undefined)[];
  readonly tokens: readonly (readonly string[])[];
  /** By address. */
  readonly captured: Readonly<Record<Address, Tensor>>;
  /** Every address that the model has. */
  readonly addresses: readonly Address[];
  readonly reports?: readonly EditReport[];
  /** By the name of the probe. */
  readonly probes?: Readonly<Record<string, Tensor>>;
  readonly provenance: () => Promise<Readonly<Record<string, string | number>>>;
}

/** The result of a run: every captured activation by its address. Shows itself as the grid of all heads. */
export class Run {
  /** Token labels per prompt, padding included, so that they line up with the axes of the tensors. */
  readonly tokens: readonly (readonly string[])[];
  readonly #parts: RunParts;

  constructor(parts: RunParts) {
    this.tokens = parts.tokens;
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
    const { captured, blueprint } = this.#parts;
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
   * −ln p of each next token, [B,Q−1]; NaN where a token or its next is padding.
   *
   * Units    nats
   * Throws   OptionError unless the model predicts the next token
   */
  get lossPerToken(): Tensor {
    const { blueprint, batch } = this.#parts;
    if (!blueprint.causal) {
      throw new OptionError(`run.lossPerToken: ${blueprint.architecture} does not predict next tokens`);
    }
    return lossPerToken(this.logits, batch);
  }

  /**
   * Mean of `lossPerToken` over the next tokens of all prompts; undefined for a model that predicts none.
   *
   * Units    nats
   */
  get loss(): number | undefined {
    const { blueprint, captured } = this.#parts;
    if (!blueprint.causal || !captured["logits"]) return undefined;
    const counted = this.lossPerToken.numbers().filter((loss) => !Number.isNaN(loss));
    return counted.length === 0 ? undefined : counted.reduce((sum, loss) => sum + loss, 0) / counted.length;
  }

  /** Positions of a prompt that are not padding. */
  realPositions(prompt: number): readonly number[] {
    const { length, attentionMask } = this.#parts.batch;
    const row = attentionMask.subarray(prompt * length, (prompt + 1) * length);
    return Array.from(row.keys()).filter((t) => row[t] === 1);
  }

  /** One head's pattern for one prompt without its padding, [Q,K] row-major. */
  #pattern(prompt: number, layer: number, head: number): Float32Array {
    const whole = this.at(`blocks.${layer}.attn.pattern`).slice(prompt, head);
    const kept = this.realPositions(prompt);
    const [, keys] = whole.shape as [number, number];
    const out = new Float32Array(kept.length * kept.length);
    kept.forEach((query, i) =>
      kept.forEach((key, j) => (out[i * kept.length + j] = whole.data[query * keys + key] as number)),
    );
    return out;
  }

  /** The MIME bundle of the head grid; a line of text when the patterns were left out. */
  async bundle(): Promise<MimeBundle> {
    const { blueprint, texts, tokens, title, provenance, captured } = this.#parts;
    if (!captured["blocks.0.attn.pattern"]) {
      return { "text/plain": `Run of ${title}: ${this.addresses.join(", ")} (patterns were left out)` };
    }
    const payload = headGrid({
      title,
      layers: blueprint.layers,
      heads: blueprint.heads,
      causal: blueprint.causal,
      samples: tokens.map((labels, prompt) => {
        const kept = this.realPositions(prompt).map((t) => labels[t]);
        const text = texts[prompt];
        return {
          ...(text === undefined ? {} : { text }),
          queryTokens: kept,
          keyTokens: kept,
          pattern: (layer: number, head: number) => this.#pattern(prompt, layer, head),
        };
      }),
      provenance: await provenance(),
    });
    return { [headGridMime]: payload, "text/plain": headGridText(payload) };
  }
}

showWith(Run.prototype, (run) => run.bundle());
