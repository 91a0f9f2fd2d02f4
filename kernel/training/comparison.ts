import type { Column } from "../analyses/parts/table.js";
import { csvTable, escapeHtml, htmlTable, latexTable, markdownTable, textTable } from "../analyses/parts/table.js";
import { knownNames, OptionError, showWith } from "../tensor/index.js";
import type { Cost } from "./costs.js";
import { meanInterval } from "./meanInterval.js";
import type { CurvePlot } from "./plotCurves.js";
import { plotCurves } from "./plotCurves.js";

/** One training of one mechanism. */
export interface Trial {
  readonly mechanism: string;
  readonly seed: number;
  /** What the last evaluation found; empty where it failed. */
  readonly values: Readonly<Record<string, number>>;
  /** Numbers that were learned. */
  readonly parameters: number;
  readonly msPerStep: number;
  /** Why it ended without a result. */
  readonly error?: string;
}

export interface ComparisonRow {
  readonly mechanism: string;
  /** Mean of the metric over the seeds that ended well. */
  readonly mean: number;
  /** 95 % interval of that mean by Student's t; NaN for a single seed. */
  readonly low: number;
  readonly high: number;
  readonly loss: number;
  readonly parameters: number;
  /** Of one head over T tokens, as its paper says. */
  readonly time: string;
  /** What decoding keeps. */
  readonly state: string;
  readonly msPerStep: number;
  /** Of a forward pass over one row of the task: arithmetic operations in millions, and the most activations at once in MB. */
  readonly mflop: number;
  readonly activationsMB: number;
  /** Measured on one thread. */
  readonly forwardMs: number;
  /** Seeds that ended well, and all. */
  readonly seeds: string;
}

/** What `plotCosts` draws over lengths. */
export type CostMeasure = "flops" | "activationBytes" | "ms";

const costLabels: Readonly<Record<CostMeasure, string>> = {
  flops: "arithmetic operations of a forward pass",
  activationBytes: "bytes of activations alive at once",
  ms: "milliseconds of a forward pass on one thread",
};

export interface ComparisonParts {
  readonly title: string;
  readonly metric: string;
  /** Tokens of a row of the task. */
  readonly length: number;
  readonly trials: readonly Trial[];
  readonly measured: readonly Cost[];
  readonly costs: Readonly<Record<string, { readonly time: string; readonly state: string }>>;
}

const mean = (xs: readonly number[]): number => xs.reduce((sum, x) => sum + x, 0) / xs.length;

function rowOf(mechanism: string, trials: readonly Trial[], parts: ComparisonParts): ComparisonRow {
  const { metric, costs, measured, length } = parts;
  const cost = measured.find((each) => each.mechanism === mechanism && each.length === length);
  const good = trials.filter(({ error }) => error === undefined);
  const values = good.map((trial) => trial.values[metric]);
  const [low, high] = meanInterval(values);
  const { time, state } = costs[mechanism] ?? { time: "", state: "" };
  return {
    mechanism,
    ...{ mean: mean(values), low, high, loss: mean(good.map((trial) => trial.values["loss"])) },
    ...{ parameters: trials[0].parameters, time, state, msPerStep: mean(good.map((trial) => trial.msPerStep)) },
    ...{
      mflop: (cost?.flops ?? NaN) / 1e6,
      activationsMB: (cost?.activationBytes ?? NaN) / 1e6,
      forwardMs: cost?.ms ?? NaN,
    },
    seeds: `${good.length}/${trials.length}`,
  };
}

/** Mechanisms trained on the same work, a row each, the best first. Immutable. */
export class Comparison {
  readonly title: string;
  readonly metric: string;
  readonly rows: readonly ComparisonRow[];
  /** Every training, failures included. */
  readonly trials: readonly Trial[];
  /** What a forward pass costs at each length that was asked for, and at that of the task. */
  readonly measured: readonly Cost[];

  constructor(parts: ComparisonParts) {
    const { title, metric, trials, measured } = parts;
    this.measured = measured;
    this.title = title;
    this.metric = metric;
    this.trials = trials;
    const names = [...new Set(trials.map(({ mechanism }) => mechanism))];
    const sign = metric === "accuracy" ? -1 : 1;
    const key = ({ mean: x }: ComparisonRow): number => (Number.isNaN(x) ? Infinity : sign * x);
    this.rows = names
      .map((name) =>
        rowOf(
          name,
          trials.filter(({ mechanism }) => mechanism === name),
          parts,
        ),
      ) // prettier-ignore
      .sort((a, b) => key(a) - key(b));
  }

  get failures(): readonly Trial[] {
    return this.trials.filter(({ error }) => error !== undefined);
  }

  /** The row of a mechanism; throws OptionError where there is none. */
  of(mechanism: string): ComparisonRow {
    const found = this.rows.find((row) => row.mechanism === mechanism);
    if (!found)
      throw new OptionError(
        `comparison: no "${mechanism}"; known: ${this.rows.map((row) => row.mechanism).join(", ")}`,
      );
    return found;
  }

  /**
   * Costs over lengths, a curve for each mechanism, both axes logarithmic.
   *
   * Throws   OptionError on an unknown measure
   */
  plotCosts(measure: CostMeasure): CurvePlot {
    const label = Object.hasOwn(costLabels, measure) ? costLabels[measure] : undefined;
    if (label === undefined)
      throw new OptionError(`plotCosts: unknown measure "${String(measure)}"${knownNames(String(measure), Object.keys(costLabels))}`); // prettier-ignore
    const lists = this.rows.map(({ mechanism }) => {
      const own = this.measured.filter((cost) => cost.mechanism === mechanism && cost.error === undefined);
      const points = own.toSorted((a, b) => a.length - b.length);
      return { name: mechanism, x: points.map(({ length }) => length), y: points.map((cost) => cost[measure]) };
    });
    return plotCurves(
      lists.filter(({ x }) => x.length > 0),
      { title: label, xLabel: "tokens", yLabel: measure, xScale: "log", yScale: "log" },
    );
  }

  /** Comma-separated values at full precision. */
  toCsv(): string {
    return csvTable(this.rows, this.#columns);
  }

  /** A `tabular` for LaTeX with the package booktabs. */
  toLatex(): string {
    return latexTable(this.rows, this.#columns);
  }

  toMarkdown(): string {
    return markdownTable(this.rows, this.#columns);
  }

  /** The table in text, failures below it. */
  describe(): string {
    return [this.title, textTable(this.rows, this.#columns), ...this.#failed].join("\n");
  }

  /** The table in HTML, failures below it. */
  toHtml(): string {
    const failed = this.#failed.map((line) => `<p>${escapeHtml(line)}</p>`).join("");
    return `<p>${escapeHtml(this.title)}</p>${htmlTable(this.rows, this.#columns)}${failed}`;
  }

  get #failed(): readonly string[] {
    return [
      ...this.failures.map(({ mechanism, seed, error }) => `${mechanism}, seed ${seed}: ${error}`),
      ...this.measured.flatMap(({ mechanism, length, error }) => error === undefined ? [] : [`${mechanism}, ${length} tokens: ${error}`]), // prettier-ignore
    ];
  }

  get #columns(): readonly Column<ComparisonRow>[] {
    const names = [
      "mechanism",
      "mean",
      "low",
      "high",
      "loss",
      "parameters",
      "time",
      "state",
      "msPerStep",
      "mflop",
      "activationsMB",
      "forwardMs",
      "seeds",
    ] as const;
    return names.map((name) => ({ name: name === "mean" ? this.metric : name, of: (row) => row[name] }));
  }
}

showWith(Comparison.prototype, (table) => ({ "text/plain": table.describe(), "text/html": table.toHtml() }));
