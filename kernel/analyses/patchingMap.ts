import { type RecordClass, recordOf, showWith } from "../tensor/index.js";
import { matrix, matrixMime, type Provenance } from "../views/index.js";
import { meanOf } from "./parts/statistics.js";
import { csvTable, escapeHtml, htmlTable, latexTable, markdownTable, textTable, type Column } from "./parts/table.js";

export interface PatchingParts {
  /** The name of the model. */
  readonly title: string;
  /** What was done and what the numbers are; activation patching when left out. */
  readonly what?: string | undefined;
  readonly metric: string;
  /** What a column is: `"head"` or `"token"`. */
  readonly column: "head" | "token";
  readonly layers: readonly number[];
  /** [layer][column], means over the pairs that have one; NaN where none has. */
  readonly recovery: readonly (readonly number[])[];
  /** [pair][layer][column]: the change of the metric itself. */
  readonly effects: readonly (readonly (readonly number[])[])[];
  /** Of each pair. */
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  /** Pairs whose metric is the same clean and corrupted: nothing can be recovered there. */
  readonly undefinedPairs: readonly number[];
  /** Where the model comes from. */
  readonly provenance: Provenance;
}

const Parts: RecordClass<PatchingParts> = recordOf();

/** How much of a metric each patch brings back. Immutable; shows itself as a table, layers × columns. */
export class PatchingMap extends Parts {
  get caption(): string {
    const { title, metric, column, clean, undefinedPairs } = this;
    const { what = `Activation patching of ${title}: share of ${metric} recovered` } = this;
    const without = undefinedPairs.length > 0 ? `; undefined for pairs ${undefinedPairs.join(", ")}` : "";
    return `${what} by each ${column}, ${clean.length} pairs${without}`;
  }

  /** Comma-separated values at full precision: one line for each layer and column, its change of the metric, mean over pairs, beside. */
  toCsv(): string {
    return csvTable(this.#cells(), cellColumns(this.column));
  }

  /** A `tabular` for LaTeX with the package booktabs. */
  toLatex(): string {
    return latexTable(this.#cells(), cellColumns(this.column));
  }

  toMarkdown(): string {
    return markdownTable(this.#cells(), cellColumns(this.column));
  }

  #cells(): readonly Cell[] {
    return this.layers.flatMap((layer, at) =>
      this.recovery[at].map((recovery, column) => {
        const effect = meanOf(this.effects.map((pair) => pair[at][column]));
        return { layer, column, recovery, effect };
      }),
    );
  }
}

interface Cell {
  readonly layer: number;
  readonly column: number;
  readonly recovery: number;
  readonly effect: number;
}

const cellColumns = (column: string): readonly Column<Cell>[] => [
  { name: "layer", of: ({ layer }) => layer },
  { name: column, of: (cell) => cell.column },
  { name: "recovery", of: ({ recovery }) => recovery },
  { name: "effect", of: ({ effect }) => effect },
];

interface Line {
  readonly layer: number;
  readonly values: readonly number[];
}

showWith(PatchingMap.prototype, (map) => {
  const labels = Array.from(map.recovery[0] ?? [], (_, i) => String(i));
  // "Activation patching of gpt2: share of logit difference recovered by each head, 20 pairs"
  const colon = map.caption.indexOf(": ");
  const figure = matrix(map.recovery, {
    title: map.caption.slice(0, colon),
    measure: map.caption.slice(colon + 2).split(" by each ")[0],
    kind: "diverging",
    notes: [map.caption],
    provenance: map.provenance,
    rows: { name: "layer", labels: map.layers.map(String) },
    columns: { name: map.column, labels },
  });
  const lines: Line[] = map.layers.map((layer, i) => ({ layer, values: map.recovery[i] }));
  const names = map.recovery[0]?.map((_, i) => i) ?? [];
  const columns: Column<Line>[] = [
    { name: `layer \\ ${map.column}`, of: ({ layer }) => layer },
    ...names.map((i) => ({ name: String(i), of: ({ values }: Line) => Number(values[i].toPrecision(3)) })),
  ];
  return {
    [matrixMime]: figure,
    "text/plain": `${map.caption}\n${textTable(lines, columns)}`,
    "text/html": `<p>${escapeHtml(map.caption)}</p>${htmlTable(lines, columns)}`,
  };
});
