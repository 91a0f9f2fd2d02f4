import { Run, stackNamed } from "../models/index.js";
import { checkOptions, OptionError, showWith, type MimeBundle } from "../tensor/index.js";
import * as views from "../views/index.js";

/** A head of a run. */
export interface ComparedHead {
  readonly run: Run;
  /** `"encoder"`, `"decoder"`, `"cross"` … where a model has several kinds of attention. */
  readonly stack?: string;
  readonly layer: number;
  readonly head: number;
  /** Which prompt of the run; default 0. */
  readonly prompt?: number;
  /** What it is called; default: the model's name where two models are compared, and `L5.H1`. */
  readonly name?: string;
}

/** Two heads side by side. Shows itself: A, B, and A − B. */
export class HeadPair {
  /** Mean over the queries of ½ Σ_k |A − B|, 0…1. */
  readonly totalVariation: number;
  /** The same of each query. */
  readonly perQuery: readonly number[];
  /** Mean over the queries of the Jensen–Shannon divergence, nats, 0…ln 2. */
  readonly jensenShannonNats: number;
  /** Where the two differ most. */
  readonly largest: readonly views.WeightDifference[];
  readonly payload: views.HeadPairPayload;

  constructor(payload: views.HeadPairPayload) {
    this.payload = payload;
    this.totalVariation = views.meanVariation(payload);
    this.perQuery = payload.totalVariation;
    this.jensenShannonNats = payload.jensenShannonNats;
    this.largest = payload.largest;
  }

  bundle(): MimeBundle {
    return { [views.headPairMime]: this.payload, "text/plain": views.headPairText(this.payload) };
  }
}

showWith(HeadPair.prototype, (pair) => pair.bundle());

/**
 * How two heads differ on the same text: of one run, of two runs such as one with an intervention, or of two models.
 * Texts of other tokens are compared place by place where they have as many.
 *
 *   total variation of a query    ½ Σ_k |A − B|
 *   Jensen–Shannon divergence     ½ Σ_k (A ln(A / M) + B ln(B / M)),  M = (A + B) / 2
 *
 * Throws   OptionError where one has another number of tokens, or a head is not there
 * Example  await compareHeads({ run, layer: 5, head: 1 }, { run, layer: 5, head: 5 })
 */
export async function compareHeads(a: ComparedHead, b: ComparedHead): Promise<HeadPair> {
  const [first, second] = [sideOf(a, "a"), sideOf(b, "b")];
  const sizes = [first, second].map(({ queries, keys }) => `${queries.length} × ${keys.length}`);
  if (sizes[0] !== sizes[1]) {
    throw new OptionError(`compareHeads: expected as many tokens in both, got ${sizes[0]} and ${sizes[1]}; compare runs of one text`); // prettier-ignore
  }
  const [headingA, headingB] = [await a.run.heading(), await b.run.heading()];
  const isOneModel = headingA.title === headingB.title;
  const nameOf = ({ name, layer, head, prompt = 0 }: ComparedHead, title: string): string =>
    name ?? [...(isOneModel ? [] : [title]), `L${layer}.H${head}`, ...(a.prompt === b.prompt ? [] : [`prompt ${prompt}`])].join(" "); // prettier-ignore
  const otherQueries = first.queries.join("\0") === second.queries.join("\0") ? {} : { otherQueryTokens: second.queries }; // prettier-ignore
  const otherKeys = first.keys.join("\0") === second.keys.join("\0") ? {} : { otherKeyTokens: second.keys };
  const hasOthers = "otherQueryTokens" in otherQueries || "otherKeyTokens" in otherKeys;
  return new HeadPair(
    views.headPair({
      title: isOneModel ? headingA.title : `${headingA.title} and ${headingB.title}`,
      names: [nameOf(a, headingA.title), nameOf(b, headingB.title)],
      causal: first.causal && second.causal,
      ...{ queryTokens: first.queries, keyTokens: first.keys, ...otherQueries, ...otherKeys },
      patterns: [first.pattern, second.pattern],
      notes: hasOthers ? ["The tokens of the two are not the same; they are compared place by place."] : [],
      provenance: headingA.provenance,
    }),
  );
}

interface Side {
  readonly pattern: Float32Array;
  readonly causal: boolean;
  readonly queries: readonly string[];
  readonly keys: readonly string[];
}

function sideOf(compared: ComparedHead, name: string): Side {
  checkOptions(`compareHeads: ${name}`, compared, ["run", "stack", "layer", "head", "prompt", "name"]);
  const { run, layer, head, prompt = 0 } = compared;
  if (!(run instanceof Run)) throw new OptionError(`compareHeads: ${name}.run must be a run, got ${typeof run}`);
  const stack = stackNamed("compareHeads", run.stacks, compared.stack);
  const labels = (side: "queries" | "keys"): readonly string[] => run.realTokens(prompt, stack[side]);
  const { data } = run.headPattern({ stack: stack.name, layer, head, prompt });
  return { pattern: data, causal: stack.causal, queries: labels("queries"), keys: labels("keys") };
}
