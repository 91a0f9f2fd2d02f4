import { knownNames, OptionError, type RecordClass, recordOf, showWith } from "../tensor/index.js";
import { ablationTable, ablationTableMime, type Provenance } from "../views/index.js";
import { csvTable, escapeHtml, htmlTable, latexTable, markdownTable, textTable, type Column } from "./parts/table.js";

/** What taking one head out did. */
export interface AblationRow {
  readonly layer: number;
  readonly head: number;
  readonly mode: string;
  /** Metric with the head taken out minus metric without, mean over prompts. */
  readonly effect: number;
  /** 95 % bootstrap interval over prompts; NaN for a single prompt. */
  readonly low: number;
  readonly high: number;
  /** Sign-flip test over prompts. */
  readonly p: number;
  /** False discovery rate over all heads of the mode (Benjamini–Hochberg). */
  readonly q: number;
  /** The share of random heads of this layer, itself included, whose effect is at least as large; NaN where the mode has none. */
  readonly nullShare: number;
  /** The effect on each prompt. */
  readonly perPrompt: readonly number[];
}

export interface AblationParts {
  readonly title: string;
  readonly metric: string;
  /** The metric of each prompt as it is. */
  readonly clean: readonly number[];
  readonly rows: readonly AblationRow[];
  readonly seed: number;
  /** Random heads per layer. */
  readonly randomHeads: number;
  /** Where the model comes from. */
  readonly provenance: Provenance;
}

const columns: readonly Column<AblationRow>[] = (
  ["layer", "head", "mode", "effect", "low", "high", "p", "q", "nullShare"] as const
).map((name) => ({ name, of: (row) => row[name] }));

/** How many rows are shown; an export has all. */
const shownRows = 20;

const Parts: RecordClass<AblationParts> = recordOf();

/** The effect of every head, for every mode. Immutable; shows its largest effects. */
export class AblationTable extends Parts {
  /** The table in another order: by `"size"` of the effect, largest first, or by a column, smallest first. */
  sorted(by: "size" | "effect" | "p" | "q" | "layer" = "size"): AblationTable {
    if (!["size", "effect", "p", "q", "layer"].includes(by)) {
      throw new OptionError(
        `sorted: unknown order "${String(by)}"${knownNames(by, ["size", "effect", "p", "q", "layer"])}`,
      );
    }
    const key = (row: AblationRow): number => (by === "size" ? -Math.abs(row.effect) : row[by]);
    return new AblationTable({ ...this, rows: [...this.rows].sort((a, b) => key(a) - key(b)) });
  }

  /** The row of one head; throws OptionError where there is none. */
  at(layer: number, head: number, mode: string = this.rows[0].mode): AblationRow {
    const found = this.rows.find((row) => row.layer === layer && row.head === head && row.mode === mode);
    if (!found) throw new OptionError(`ablation table: no row for layer ${layer}, head ${head}, mode "${mode}"`);
    return found;
  }

  /** Comma-separated values at full precision. */
  toCsv(): string {
    return csvTable(this.rows, columns);
  }

  /** A `tabular` for LaTeX with the package booktabs. */
  toLatex(): string {
    return latexTable(this.rows, columns);
  }

  toMarkdown(): string {
    return markdownTable(this.rows, columns);
  }

  /** What was done, in words. */
  get caption(): string {
    const { clean, metric, rows, randomHeads, seed, title } = this;
    const heads = new Set(rows.map(({ layer, head }) => `${layer}.${head}`)).size;
    const modes = new Set(rows.map(({ mode }) => mode)).size;
    const ways = modes > 1 ? ` in ${modes} ways` : "";
    const mean = clean.reduce((sum, x) => sum + x, 0) / clean.length;
    return (
      `Ablation of ${heads} ${heads === 1 ? "head" : "heads"} of ${title}${ways}: change of ${metric}, ${Number(mean.toPrecision(4))} without; ` +
      `${clean.length} prompts, 95 % bootstrap intervals, sign-flip p, Benjamini–Hochberg q, ` +
      `${randomHeads} random heads per layer, seed ${seed}`
    );
  }
}

showWith(AblationTable.prototype, (table) => {
  const { rows } = table.sorted();
  const top = rows.slice(0, shownRows);
  const more = rows.length > shownRows ? `the ${shownRows} largest of ${rows.length} effects` : "";
  const { title, metric, clean, seed, provenance } = table;
  const payload = ablationTable({
    title: `Head ablation of ${title}`,
    metric,
    clean,
    rows: table.rows,
    notes: [table.caption],
    provenance: { ...provenance, seed },
  });
  return {
    [ablationTableMime]: payload,
    "text/plain": [table.caption, textTable(top, columns), more].filter(Boolean).join("\n"),
    "text/html": `<p>${escapeHtml(table.caption)}</p>${htmlTable(top, columns)}${more && `<p>${more}</p>`}`,
  };
});
