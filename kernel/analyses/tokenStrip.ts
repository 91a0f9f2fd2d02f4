import { headLines, Run, stackNamed } from "../models/index.js";
import { checkOptions, OptionError, showWith, type MimeBundle } from "../tensor/index.js";
import * as views from "../views/index.js";

/** Which attention a strip of a run shows. */
export interface RunStripOptions {
  /** `"encoder"`, `"decoder"`, `"cross"` … where a model has several kinds of attention. */
  readonly stack?: string;
  /** Zero-based; default 0. */
  readonly layer?: number;
  /** Zero-based; default: the mean over the heads of the layer. */
  readonly head?: number;
  /** Which prompt of the run; default 0. */
  readonly prompt?: number;
}

/** A number per token, and what it is. */
export interface TokenValueOptions {
  /** One per token; what is not finite has no value. */
  readonly values: ArrayLike<number>;
  /** What a number is, such as `"loss (nats)"`. */
  readonly measure: string;
  /** `"sequential"`: amounts from 0, the default where none is negative; `"diverging"`: differences, about 0. */
  readonly kind?: "sequential" | "diverging";
  /** Default: the measure. */
  readonly title?: string;
  readonly notes?: readonly string[];
}

/** A text whose tokens are shaded by numbers. Shows itself. */
export class TokenStrip {
  readonly tokens: readonly string[];
  /** One per token, at full precision. */
  readonly values: ArrayLike<number>;
  readonly #payload: () => Promise<views.TokenStripPayload>;

  constructor(tokens: readonly string[], values: ArrayLike<number>, payload: () => Promise<views.TokenStripPayload>) {
    this.tokens = tokens;
    this.values = values;
    this.#payload = payload;
  }

  /** What the figure draws. */
  async payload(): Promise<views.TokenStripPayload> {
    return this.#payload();
  }

  async bundle(): Promise<MimeBundle> {
    const payload = await this.#payload();
    return { [views.tokenStripMime]: payload, "text/plain": views.tokenStripText(payload) };
  }
}

showWith(TokenStrip.prototype, (strip) => strip.bundle());

/**
 * A text whose tokens are shaded: by the attention that they receive, with where each token looks and who looks at it, or
 * by any number per token.
 *
 *   received[k] = Σ_{q sees k} A[q,k] / |{q sees k}|
 *
 * Throws   OptionError on an unknown option, or a head that the run does not have; PayloadError where numbers and tokens
 *          do not agree
 * Example  tokenStrip(run, { layer: 5, head: 1 })
 * Example  tokenStrip(run.tokens[0], { values: [NaN, ...run.lossPerToken.slice(0).numbers()], measure: "loss (nats)" })
 */
export function tokenStrip(source: Run, options?: RunStripOptions): TokenStrip;
export function tokenStrip(source: readonly string[], options: TokenValueOptions): TokenStrip;
export function tokenStrip(
  source: Run | readonly string[],
  options: RunStripOptions | TokenValueOptions = {},
): TokenStrip {
  if (source instanceof Run) return stripOfRun(source, options as RunStripOptions);
  if (!Array.isArray(source)) throw new OptionError("tokenStrip: expected a run, or a list of tokens");
  return stripOfValues(source as readonly string[], options as TokenValueOptions);
}

function stripOfValues(tokens: readonly string[], options: TokenValueOptions): TokenStrip {
  checkOptions("tokenStrip", options, ["values", "measure", "kind", "title", "notes"]);
  const { values, measure, title = measure, notes = [] } = options;
  const isSigned = Array.from(values ?? []).some((value) => value < 0);
  const { kind = isSigned ? "diverging" : "sequential" } = options;
  const payload = views.tokenStrip({ title, measure, kind, tokens, values: values ?? [], notes });
  return new TokenStrip(tokens, values, () => Promise.resolve(payload));
}

function stripOfRun(run: Run, options: RunStripOptions): TokenStrip {
  checkOptions("tokenStrip", options, ["stack", "layer", "head", "prompt"]);
  const { layer = 0, head, prompt = 0 } = options;
  const stack = stackNamed("tokenStrip", run.stacks, options.stack);
  const lines = headLines(run, { stack: stack.name, layer, head, prompt });
  const values = lines.received();
  const keys = run.realTokens(prompt, stack.keys);
  const payload = async (): Promise<views.TokenStripPayload> => {
    const { title, provenance, sharedAs } = await run.heading();
    const caption =
      head === undefined ? `layer ${layer}, mean of ${stack.heads} heads` : `layer ${layer}, head ${head}`;
    return views.tokenStrip({
      title: stack.name === "" ? title : `${title} · ${stack.name}`,
      measure: "attention received, mean over the queries that see the token",
      kind: "sequential",
      tokens: keys,
      values,
      attention: {
        ...{ caption, causal: stack.causal, row: lines.row },
        ...(stack.queries === stack.keys ? {} : { queries: run.realTokens(prompt, stack.queries) }),
      },
      live:
        sharedAs === undefined
          ? undefined
          : {
              ...{ run: sharedAs, stack: stack.name, layers: stack.layers, heads: stack.heads },
              ...{ layer, head: head ?? null, sample: prompt },
            },
      provenance,
    });
  };
  return new TokenStrip(keys, values, payload);
}
