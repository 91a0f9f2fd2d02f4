import { showWith } from "../tensor/index.js";
import { csvTable, escapeHtml, htmlTable, latexTable, markdownTable, textTable, type Column } from "./parts/table.js";

/** One head on one kind of text. */
export interface DormancyRow {
  readonly domain: string;
  readonly layer: number;
  readonly head: number;
  /** Mean attention on the sink, over prompts and the queries after token 0. */
  readonly sinkMass: number;
  /** Loss with the head's output at zero minus loss without, mean over prompts. */
  readonly effect: number;
  /** 95 % bootstrap interval of it. */
  readonly low: number;
  readonly high: number;
  /** The same effect with all the head's attention moved to the first token instead. */
  readonly toBos: number;
  readonly state: "dormant" | "active" | "unclear";
}

export interface DormancyParts {
  readonly title: string;
  readonly domains: readonly string[];
  readonly mass: number;
  readonly loss: number;
  readonly rows: readonly DormancyRow[];
}

const columns: readonly Column<DormancyRow>[] = (
  ["domain", "layer", "head", "sinkMass", "effect", "low", "high", "toBos", "state"] as const
).map((name) => ({ name, of: (row) => row[name] }));

/** Heads that rest on some texts and work on others. Immutable; shows the heads whose state changes. */
export class DormancyTable {
  readonly title: string;
  readonly domains: readonly string[];
  /** The thresholds. */
  readonly mass: number;
  readonly loss: number;
  readonly rows: readonly DormancyRow[];

  constructor({ title, domains, mass, loss, rows }: DormancyParts) {
    this.title = title;
    this.domains = domains;
    this.mass = mass;
    this.loss = loss;
    this.rows = rows;
  }

  /** Heads that are dormant on one domain and active on another, with all their rows. */
  get switching(): readonly DormancyRow[] {
    const statesOf = ({ layer, head }: DormancyRow): readonly string[] =>
      this.rows.filter((row) => row.layer === layer && row.head === head).map(({ state }) => state);
    return this.rows.filter((row) => {
      const states = statesOf(row);
      return states.includes("dormant") && states.includes("active");
    });
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

  /** The table in words. */
  get summary(): string {
    const count = (domain: string, state: DormancyRow["state"]): number =>
      this.rows.filter((row) => row.domain === domain && row.state === state).length;
    const perDomain = this.domains.map(
      (domain) => `${domain}: ${count(domain, "dormant")} dormant, ${count(domain, "active")} active`,
    );
    const rule = `dormant: more than ${this.mass} on the sink and |Δloss| below ${this.loss} nats`;
    return [`Dormant heads of ${this.title} (${rule})`, ...perDomain].join("\n");
  }
}

showWith(DormancyTable.prototype, (table) => {
  const { summary, switching } = table;
  const shown = switching.length > 0 ? switching : table.rows.filter(({ state }) => state === "dormant").slice(0, 20);
  const what = switching.length > 0 ? "Heads that are dormant here and active there:" : "Dormant heads:";
  return {
    "text/plain": [summary, what, textTable(shown, columns)].join("\n"),
    "text/html": `<p>${escapeHtml(summary).replaceAll("\n", "<br>")}</p><p>${what}</p>${htmlTable(shown, columns)}`,
  };
});
