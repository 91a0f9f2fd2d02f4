import { OptionError, showWith } from "../tensor/index.js";
import { csvTable, escapeHtml, htmlTable, latexTable, markdownTable, textTable, type Column } from "./parts/table.js";

/** One edge: what writes into the residual stream, and what reads it. */
export interface EdgeScore {
  /** `embed`, `0.3` for a head, or `mlp 0`. */
  readonly from: string;
  /** `1.2 q`, `1.2 k`, `1.2 v`, `mlp 1`, or `logits`. */
  readonly to: string;
  /** Mean over pairs. */
  readonly score: number;
}

const columns: readonly Column<EdgeScore>[] = (["from", "to", "score"] as const).map((name) => ({
  name,
  of: (row) => row[name],
}));

/** How many rows are shown; an export has all. */
const shownRows = 20;

/** The score of every edge. Immutable; shows the largest. */
export class EdgeScores {
  readonly caption: string;
  readonly rows: readonly EdgeScore[];
  /** Whether heads of keys and values are fewer than heads: `1.0 k` is then not of head 0 alone. */
  readonly sharedKeys: boolean;

  constructor({
    caption,
    rows,
    sharedKeys = false,
  }: Pick<EdgeScores, "caption" | "rows"> & { readonly sharedKeys?: boolean }) {
    this.caption = caption;
    this.rows = rows;
    this.sharedKeys = sharedKeys;
  }

  /** The score of one edge; throws OptionError where there is none. Example: `scores.at("0.3", "1.2 q")` */
  at(from: string, to: string): number {
    const found = this.rows.find((row) => row.from === from && row.to === to);
    if (!found)
      throw new OptionError(
        `edge scores: no edge from "${from}" to "${to}"; as in "embed", "0.3", "mlp 0" → "1.2 q", "mlp 1", "logits"`,
      );
    return found.score;
  }

  /** Largest in size first. */
  sorted(): EdgeScores {
    return new EdgeScores({ ...this, rows: [...this.rows].sort((a, b) => Math.abs(b.score) - Math.abs(a.score)) });
  }

  toCsv(): string {
    return csvTable(this.rows, columns);
  }

  toLatex(): string {
    return latexTable(this.rows, columns);
  }

  toMarkdown(): string {
    return markdownTable(this.rows, columns);
  }
}

showWith(EdgeScores.prototype, (scores) => {
  const { rows, caption } = scores.sorted();
  const top = rows.slice(0, shownRows);
  const more = rows.length > shownRows ? `the ${shownRows} largest of ${rows.length} edges` : "";
  return {
    "text/plain": [caption, textTable(top, columns), more].filter(Boolean).join("\n"),
    "text/html": `<p>${escapeHtml(caption)}</p>${htmlTable(top, columns)}${more && `<p>${more}</p>`}`,
  };
});
