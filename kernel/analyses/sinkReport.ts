import { figureOf } from "../figure/index.js";
import { checkOptions, OptionError, showWith, type Tensor } from "../tensor/index.js";
import { panelsMime, type Provenance } from "../views/index.js";
import type { MassiveActivation } from "./parts/residual.js";
import type { SecondarySink } from "./parts/secondarySinks.js";
import { epsilonCurves, sinkPanels } from "./parts/sinkPanels.js";
import { meanOf } from "./parts/statistics.js";
import { textTable } from "./parts/table.js";

/** What one prompt showed. Token axes hold padding where the prompt had some; `tokens` does not. */
export interface SinkSample {
  readonly tokens: readonly string[];
  /** α_k, [L,H,K]. */
  readonly received: Tensor;
  /** The same of the attention that is not on token 0: 0 for that token, [L,H,K]. */
  readonly receivedWithoutFirst: Tensor;
  /** Row entropy over that of even attention, [L,H,Q]. */
  readonly relativeEntropy: Tensor;
  /** Row entropy in nats of the attention that is not on token 0, [L,H,Q]. */
  readonly entropyWithoutFirst: Tensor;
  /** Column entropy over that of an evenly read key, [L,H,K]. */
  readonly columnEntropy: Tensor;
  /** Score of key 0 minus the mean of the others, [L,H,Q]. */
  readonly sinkLogit: Tensor;
  /** ‖W_O v‖ by query head, [L,H,K]. */
  readonly valueNorms: Tensor;
  /** ‖v‖, [L,H,K]. */
  readonly plainValueNorms: Tensor;
  /** Mean and variance of |q − k|, [L,H,2]. */
  readonly distance: Tensor;
  /** The same for the attention that is not on token 0, [L,H,2]. */
  readonly distanceWithoutFirst: Tensor;
  /** ‖h‖ by state and token; state 0 is what the first block reads. */
  readonly residualNorms: readonly (readonly number[])[];
  readonly massive: readonly MassiveActivation[];
  readonly secondary: readonly SecondarySink[];
}

/** One head, as means over the prompts. */
export interface SinkHead {
  readonly layer: number;
  readonly head: number;
  /** α of token 0. */
  readonly received: number;
  /** The most that one other key receives of what is not on token 0; the last quarter of each prompt is left out. */
  readonly receivedWithoutFirst: number;
  /** Mean over queries of the row entropy over that of even attention; query 0 is left out. */
  readonly rowEntropy: number;
  /** Mean over queries, in nats, of the entropy of what is not on token 0; queries 0 and 1 are left out. */
  readonly entropyWithoutFirst: number;
  /** Largest over keys of the column entropy over that of an evenly read key. */
  readonly columnEntropy: number;
  /** Mean over queries from 2 on of the score of key 0 minus that of the others. */
  readonly sinkLogit: number;
  /** ‖W_O v‖ of token 0 over the mean of the others: below 1 its value is drained. */
  readonly drain: number;
  /** The same for ‖v‖. */
  readonly plainDrain: number;
  readonly distance: number;
  readonly distanceWithoutFirst: number;
}

/** What makes a head a sink head: see `SinkReport.sinkHeads`. */
export interface SinkHeadThresholds {
  /** α of token 0 above this; default 0.3. */
  readonly received?: number;
  /** Row entropy over that of even attention below this; default 0.5. */
  readonly rowEntropy?: number;
  /** Largest column entropy over that of an evenly read key above this; default 0.5. */
  readonly columnEntropy?: number;
}

export interface SinkReportParts {
  readonly title: string;
  readonly layers: number;
  readonly heads: number;
  readonly causal: boolean;
  readonly samples: readonly SinkSample[];
  /** Where the model comes from. */
  readonly provenance: Provenance;
}

/** Sinks of a model on some prompts. Immutable; shows itself as a summary, ε-curves and maps of heads, tokens and norms. */
export class SinkReport {
  readonly title: string;
  readonly layers: number;
  readonly headCount: number;
  readonly causal: boolean;
  readonly samples: readonly SinkSample[];
  readonly provenance: Provenance;
  /** Always raw: nothing is folded or centred. */
  readonly weights = "raw" as const;

  constructor({ title, layers, heads, causal, samples, provenance }: SinkReportParts) {
    this.title = title;
    this.layers = layers;
    this.headCount = heads;
    this.causal = causal;
    this.samples = samples;
    this.provenance = { ...provenance, prompts: samples.length, weights: this.weights };
  }

  /** What token 0 is, and in which share of the prompts. */
  get firstTokens(): readonly { readonly token: string; readonly share: number }[] {
    const firsts = this.samples.map(({ tokens }) => tokens[0]);
    return [...new Set(firsts)]
      .map((token) => ({ token, share: firsts.filter((first) => first === token).length / firsts.length }))
      .sort((a, b) => b.share - a.share);
  }

  /** How many keys every prompt has. */
  get keys(): number {
    return Math.min(...this.samples.map(({ tokens }) => tokens.length));
  }

  /**
   * The share of (prompt, layer, head) in which key k receives more than ε: Sink_k^ε.
   *
   * Throws   OptionError on a key that a prompt does not have
   */
  rate(key: number, epsilon: number): number {
    return meanOf(this.#received(key).map((alpha) => (alpha > epsilon ? 1 : 0)));
  }

  /** Sink_k^ε for every ε at once: the shares fall by one step at each α_k that occurs. Example: `report.curve(0)`. */
  curve(key: number): readonly { readonly epsilon: number; readonly rate: number }[] {
    const all = [...this.#received(key)].sort((a, b) => a - b);
    const steps = all.map((epsilon, i) => ({ epsilon, rate: (all.length - 1 - i) / all.length }));
    return [{ epsilon: 0, rate: this.rate(key, 0) }, ...steps.filter(({ epsilon }, i) => epsilon !== all[i + 1])];
  }

  /** The two keys that receive most, means over prompts, layers and heads; the last quarter of each prompt is left out. */
  get topKeys(): readonly { readonly key: number; readonly received: number }[] {
    const keys = Array.from({ length: Math.max(Math.floor(this.keys * 0.75), 2) }, (_, key) => key);
    return keys
      .map((key) => ({ key, received: meanOf(this.#received(key)) }))
      .sort((a, b) => b.received - a.received)
      .slice(0, 2);
  }

  /** Every head, layer by layer. */
  get heads(): readonly SinkHead[] {
    return Array.from({ length: this.layers * this.headCount }, (_, i) =>
      this.#head(Math.floor(i / this.headCount), i % this.headCount),
    );
  }

  /**
   * The heads that read token 0 and hardly anything else: much attention on it, rows of small entropy, and a column that
   * all queries share. The sources publish no thresholds: these are arguments.
   */
  sinkHeads(thresholds: SinkHeadThresholds = {}): readonly SinkHead[] {
    checkOptions("sinkHeads", thresholds, ["received", "rowEntropy", "columnEntropy"]);
    const { received = 0.3, rowEntropy = 0.5, columnEntropy = 0.5 } = thresholds;
    return this.heads.filter(
      (head) => head.received > received && head.rowEntropy < rowEntropy && head.columnEntropy > columnEntropy,
    );
  }

  /** By state: ‖h‖ of token 0 and the largest of the others, means over prompts; state 0 is what the first block reads. */
  get residualPeaks(): readonly { readonly first: number; readonly others: number }[] {
    return Array.from({ length: this.layers + 1 }, (_, state) => ({
      first: meanOf(this.samples.map(({ residualNorms }) => residualNorms[state][0])),
      others: meanOf(this.samples.map(({ residualNorms }) => Math.max(...residualNorms[state].slice(1)))),
    }));
  }

  /** Massive activations of all prompts. */
  get massive(): readonly (MassiveActivation & { readonly prompt: number; readonly token: string })[] {
    return this.samples.flatMap(({ massive, tokens }, prompt) =>
      massive.map((each) => ({ prompt, token: tokens[each.position], ...each })),
    );
  }

  /** Tokens beside token 0 whose residual stream points where that of token 0 does. */
  get secondary(): readonly (SecondarySink & { readonly prompt: number; readonly token: string })[] {
    return this.samples.flatMap(({ secondary, tokens }, prompt) =>
      secondary.map((each) => ({ prompt, token: tokens[each.position], ...each })),
    );
  }

  /** The report in words. */
  get summary(): string {
    const firsts = this.firstTokens.slice(0, 3).map(({ token, share }) => `“${token}” in ${percent(share)}`);
    const top = this.topKeys.map(({ key, received }) => `key ${key} receives ${received.toFixed(3)}`);
    const kinds = (kind: SecondarySink["kind"]): number => this.secondary.filter((each) => each.kind === kind).length;
    const massiveAt = [...new Set(this.massive.map(({ dimension }) => dimension))];
    const lengths = this.samples.map(({ tokens }) => tokens.length);
    const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)];
    const length = shortest === longest ? `${longest}` : `${shortest} … ${longest}`;
    return [
      `Sinks of ${this.title}: ${this.samples.length} prompts of ${length} tokens, raw weights`,
      `Token 0 is ${firsts.join(", ")} of the prompts`,
      `${percent(this.rate(0, 0.3))} of heads put more than 0.3 on token 0, on average over the queries that see it (ε = 0.3; the curve has every ε)`,
      `Most attention: ${top.join(", ")}`,
      `Massive activations: ${this.massive.length}${massiveAt.length > 0 ? `, dimensions ${massiveAt.slice(0, 8).join(", ")}` : ""}`,
      `Beside token 0: ${kinds("secondary")} secondary sinks, ${kinds("primary")} primary ones`,
    ].join("\n");
  }

  /** The ε-curves of keys 0 … 3 as a picture. */
  toSvg(): string {
    const { mime, payload } = epsilonCurves(this);
    return figureOf(mime, payload) ?? "";
  }

  #received(key: number): readonly number[] {
    if (!Number.isInteger(key) || key < 0 || key >= this.keys) {
      throw new OptionError(`sink report: no key ${String(key)} in every prompt; expected 0 … ${this.keys - 1}`);
    }
    return this.samples.flatMap(({ received }) => {
      const [layers, heads] = received.shape;
      return Array.from({ length: layers * heads }, (_, i) => received.item(Math.floor(i / heads), i % heads, key));
    });
  }

  #head(layer: number, head: number): SinkHead {
    const mean = (of: (sample: SinkSample) => number): number => meanOf(this.samples.map(of));
    const row = (tensor: Tensor, { tokens }: SinkSample): readonly number[] =>
      Array.from(tensor.slice(layer, head).numbers()).slice(0, tokens.length);
    const drain = (norms: readonly number[]): number => norms[0] / meanOf(norms.slice(1));
    return {
      layer,
      head,
      received: mean((s) => s.received.item(layer, head, 0)),
      receivedWithoutFirst: mean((s) => {
        const all = row(s.receivedWithoutFirst, s);
        return Math.max(...all.slice(0, Math.max(Math.floor(all.length * 0.75), 2)));
      }),
      rowEntropy: mean((s) => meanOf(row(s.relativeEntropy, s).slice(1))),
      entropyWithoutFirst: mean((s) => meanOf(row(s.entropyWithoutFirst, s).slice(2))),
      columnEntropy: mean((s) => Math.max(...row(s.columnEntropy, s))),
      sinkLogit: mean((s) => meanOf(row(s.sinkLogit, s).slice(2))),
      drain: mean((s) => drain(row(s.valueNorms, s))),
      plainDrain: mean((s) => drain(row(s.plainValueNorms, s))),
      distance: mean((s) => s.distance.item(layer, head, 0)),
      distanceWithoutFirst: mean((s) => s.distanceWithoutFirst.item(layer, head, 0)),
    };
  }
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

const shownHeads = 8;

showWith(SinkReport.prototype, (report) => {
  const columns = (
    ["layer", "head", "received", "rowEntropy", "columnEntropy", "sinkLogit", "drain", "distance"] as const
  ).map((name) => ({ name, of: (row: SinkHead) => row[name] }));
  const top = [...report.heads].sort((a, b) => b.received - a.received).slice(0, shownHeads);
  return {
    [panelsMime]: sinkPanels(report),
    "text/plain": `${report.summary}\nHeads with most attention on token 0:\n${textTable(top, columns)}`,
  };
});
