import { knownNames, OptionError, showWith } from "../tensor/index.js";
import { matrix, matrixMime, type Provenance } from "../views/index.js";
import { bootstrapInterval, meanOf } from "./parts/statistics.js";
import { csvTable, latexTable, markdownTable, textTable, type Column } from "./parts/table.js";

/** The scores of one head, by measure. */
export interface HeadScore {
  readonly layer: number;
  readonly head: number;
  /** Means over prompts. */
  readonly values: Readonly<Record<string, number>>;
  /** The value on each prompt. */
  readonly perPrompt: Readonly<Record<string, readonly number[]>>;
}

export interface HeadScoresParts {
  /** What was measured, in words. */
  readonly caption: string;
  /** By measure, the first of them sorts: [prompt][layer][head]; NaN where a prompt says nothing. */
  readonly measured: Readonly<Record<string, readonly (readonly (readonly number[])[])[]>>;
  /** By measure: what attention that is even over the visible keys would score, where that is known. */
  readonly uniform?: Readonly<Record<string, number>>;
  readonly seed?: number;
  /** Where the model comes from. */
  readonly provenance?: () => Promise<Provenance>;
}

/** How many rows are shown; an export has all. */
const shownRows = 20;

/** One row per head, one column per measure. Immutable; shows its largest scores. */
export class HeadScores {
  readonly caption: string;
  readonly measures: readonly string[];
  /** Layer by layer, unless sorted. */
  readonly rows: readonly HeadScore[];
  readonly uniform: Readonly<Record<string, number>>;
  readonly seed: number;
  /** The measure that it is drawn and shown by: the first, or the one it was sorted by. */
  readonly leading: string;
  readonly #parts: HeadScoresParts;

  /** `rows`: some of them, in the order of the measure that leads. */
  constructor(
    parts: HeadScoresParts,
    rows: readonly HeadScore[] = rowsOf(parts.measured),
    leading: string = Object.keys(parts.measured)[0],
  ) {
    this.#parts = parts;
    this.caption = parts.caption;
    this.measures = Object.keys(parts.measured);
    this.rows = rows;
    this.leading = leading;
    this.uniform = parts.uniform ?? {};
    this.seed = parts.seed ?? 0;
  }

  /** The scores of one head; throws OptionError where there is none. */
  at(layer: number, head: number): HeadScore {
    const found = this.rows.find((row) => row.layer === layer && row.head === head);
    if (!found) throw new OptionError(`head scores: no layer ${layer}, head ${head}`);
    return found;
  }

  /** A 95 % bootstrap interval of one score over prompts; NaN for a single prompt. */
  interval(layer: number, head: number, measure: string = this.leading): readonly [low: number, high: number] {
    this.#check("interval", measure);
    const known = this.at(layer, head).perPrompt[measure].filter((x) => !Number.isNaN(x));
    return bootstrapInterval(known, this.seed);
  }

  /** The table with the largest of a measure first; heads without a value last. */
  sorted(by: string = this.leading): HeadScores {
    this.#check("sorted", by);
    const key = ({ values }: HeadScore): number => (Number.isNaN(values[by]) ? -Infinity : values[by]);
    const rows = [...this.rows].sort((a, b) => (key(a) === key(b) ? 0 : key(b) - key(a)));
    return new HeadScores(this.#parts, rows, by);
  }

  /** The heads above a threshold in a measure, largest first. Example: `scores.above(0.1)` */
  above(threshold: number, measure: string = this.leading): HeadScores {
    const { rows } = this.sorted(measure);
    return new HeadScores(
      this.#parts,
      rows.filter(({ values }) => values[measure] > threshold),
      measure,
    );
  }

  /** A measure by layer and head; NaN for heads that are not in this table. */
  grid(measure: string = this.leading): readonly (readonly number[])[] {
    this.#check("grid", measure);
    const [[, [whole]]] = Object.entries(this.#parts.measured);
    const found = whole.map((heads) => heads.map(() => NaN));
    for (const { layer, head, values } of this.rows) found[layer][head] = values[measure];
    return found;
  }

  /** Where the model comes from, and the seed of the intervals. */
  async provenance(): Promise<Provenance> {
    return { ...(await this.#parts.provenance?.()), seed: this.seed };
  }

  /** Comma-separated values at full precision, with the intervals. */
  toCsv(): string {
    return csvTable(this.rows, this.#columns());
  }

  /** A `tabular` for LaTeX with the package booktabs. */
  toLatex(): string {
    return latexTable(this.rows, this.#columns());
  }

  toMarkdown(): string {
    return markdownTable(this.rows, this.#columns());
  }

  #check(place: string, measure: string): void {
    if (!this.measures.includes(measure)) {
      throw new OptionError(`${place}: unknown measure "${measure}"${knownNames(measure, this.measures)}`);
    }
  }

  #columns(): readonly Column<HeadScore>[] {
    const hasInterval = (this.rows[0]?.perPrompt[this.measures[0]].length ?? 0) > 1;
    const bounds = new Map<HeadScore, Record<string, readonly [number, number]>>();
    const bound = (row: HeadScore, name: string): readonly [number, number] => {
      const known = bounds.get(row) ?? {};
      bounds.set(row, known);
      return (known[name] ??= this.interval(row.layer, row.head, name));
    };
    return [
      { name: "layer", of: ({ layer }) => layer },
      { name: "head", of: ({ head }) => head },
      ...this.measures.flatMap((name): Column<HeadScore>[] => [
        { name, of: ({ values }) => values[name] },
        ...(hasInterval ? [0, 1] : []).map((side) => ({
          name: `${name} ${side === 0 ? "low" : "high"}`,
          of: (row: HeadScore) => bound(row, name)[side],
        })),
      ]),
    ];
  }

  /** The columns of the table without intervals, which are in the exports. */
  get shown(): readonly Column<HeadScore>[] {
    return this.#columns().filter(({ name }) => !/ (low|high)$/.test(name));
  }
}

function rowsOf(measured: HeadScoresParts["measured"]): readonly HeadScore[] {
  const measures = Object.entries(measured);
  const [[, [anyPrompt]]] = measures;
  return anyPrompt.flatMap((heads, layer) =>
    heads.map((_, head) => {
      const perPrompt = measures.map(([name, all]) => [name, all.map((found) => found[layer][head])] as const);
      const values = perPrompt.map(([name, xs]) => [name, meanOfSome(xs)] as const);
      return { layer, head, values: Object.fromEntries(values), perPrompt: Object.fromEntries(perPrompt) };
    }),
  );
}

function meanOfSome(xs: readonly number[]): number {
  const known = xs.filter((x) => !Number.isNaN(x));
  return known.length === 0 ? NaN : meanOf(known);
}

showWith(HeadScores.prototype, async (scores) => {
  const { rows, uniform, caption } = scores.sorted();
  const top = rows.slice(0, shownRows);
  const even = Object.entries(uniform).map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`);
  const chance = even.length > 0 ? [`even attention would score: ${even.join(", ")}`] : [];
  const notes = [...(rows.length > shownRows ? [`the ${shownRows} largest of ${rows.length} heads`] : []), ...chance];
  const grid = scores.grid();
  const kind = grid.flat().some((x) => x < 0) ? "diverging" : "sequential";
  const labels = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));
  const figure = matrix(grid, {
    ...{ title: caption, measure: scores.leading, kind, notes: chance },
    rows: { name: "layer", labels: labels(grid.length) },
    columns: { name: "head", labels: labels(grid[0].length) },
    provenance: await scores.provenance(),
  });
  return {
    [matrixMime]: figure,
    "text/plain": [caption, textTable(top, scores.shown), ...notes].join("\n"),
  };
});
