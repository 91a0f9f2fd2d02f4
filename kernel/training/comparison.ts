import type { Column } from "../analyses/parts/table.js";
import { csvTable, escapeHtml, htmlTable, latexTable, markdownTable, textTable } from "../analyses/parts/table.js";
import { figureOf } from "../figure/index.js";
import { knownNames, OptionError, showWith } from "../tensor/index.js";
import { curvesCaps } from "../views/curvesPayload.js";
import { curvesMime, curvesText } from "../views/index.js";
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
  /** The loss on what it learned from: means of equal stretches of its steps. */
  readonly losses?: readonly number[];
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
  /** The same as a number: how many numbers decoding holds of a row of the task, all layers together; NaN where it cannot decode. */
  readonly stateNumbers: number;
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
export type CostMeasure = "flops" | "activationBytes" | "ms" | "stateNumbers";

const costLabels: Readonly<Record<CostMeasure, string>> = {
  flops: "arithmetic operations of a forward pass",
  activationBytes: "bytes of activations alive at once",
  ms: "milliseconds of a forward pass on one thread",
  stateNumbers: "numbers that decoding holds of a text",
};

export interface ComparisonParts {
  readonly title: string;
  readonly metric: string;
  /** Tokens of a row of the task. */
  readonly length: number;
  /** Of each training. */
  readonly steps: number;
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
      stateNumbers: cost?.stateNumbers ?? NaN,
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
  readonly #steps: number;

  constructor(parts: ComparisonParts) {
    const { title, metric, trials, measured, steps } = parts;
    this.measured = measured;
    this.#steps = steps;
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

  /**
   * Losses while they learned, a curve for each mechanism: the mean over its seeds, with the 95 % interval of that mean
   * where there are several.
   *
   * Throws   PayloadError where nothing was trained to its end
   */
  plotLosses(): CurvePlot {
    const lists = this.#learned.slice(0, curvesCaps.curves).map(({ mechanism, runs }) => {
      const points = runs[0].map((_, at) => runs.map((losses) => losses[at]));
      return {
        ...{ name: mechanism, x: runs[0].map((_, at) => ((at + 0.5) * this.#steps) / runs[0].length - 0.5) },
        y: points.map(mean),
        ...(runs.length > 1 ? { ci: points.map(meanInterval) } : {}),
      };
    });
    const notes = ["means over seeds, with their 95 % intervals by Student's t"];
    return plotCurves(lists, { title: "losses while they learned", xLabel: "step", yLabel: "loss", notes });
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

  /** The table in HTML, failures and the losses below it. */
  toHtml(): string {
    const failed = this.#failed.map((line) => `<p>${escapeHtml(line)}</p>`).join("");
    return `<p>${escapeHtml(this.title)}</p>${htmlTable(this.rows, this.#columns)}${failed}${this.#picture}`;
  }

  /** Loss curves of each mechanism that has any. */
  get #learned(): readonly { readonly mechanism: string; readonly runs: readonly (readonly number[])[] }[] {
    const all = this.rows.map(({ mechanism }) => {
      const own = this.trials.filter((trial) => trial.mechanism === mechanism);
      return { mechanism, runs: own.flatMap(({ losses }) => (losses && losses.length > 0 ? [losses] : [])) };
    });
    return all.filter(({ runs }) => runs.length > 0);
  }

  /** The losses as an image, which a page shows without this extension too. */
  get #picture(): string {
    if (this.#learned.length === 0) return "";
    const { payload } = this.plotLosses();
    const svg = figureOf(curvesMime, payload) ?? "";
    return `<img alt="${escapeHtml(curvesText(payload))}" src="data:image/svg+xml,${encodeURIComponent(svg)}">`;
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
      "stateNumbers",
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
