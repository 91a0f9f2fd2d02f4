import type { Case } from "./corpus.js";

/** A cell of the corpus and what it gives on both kernels. */
export interface Row {
  readonly entry: Case;
  readonly tslab: readonly string[];
  readonly ours: readonly string[];
}

const marks = ["<!-- differences: begin -->", "<!-- differences: end -->"] as const;

/** The document with its table made anew. */
export function withTable(document: string, rows: Readonly<Record<string, readonly Row[]>>): string {
  const [begin, end] = marks.map((mark) => document.indexOf(mark));
  if (begin === undefined || end === undefined || begin < 0 || end < begin) {
    throw new Error(`docs/tslab.md: expected the lines ${marks.join(" and ")}`);
  }
  return `${document.slice(0, begin + marks[0].length)}\n\n${tables(rows)}\n\n${document.slice(end)}`;
}

function tables(rows: Readonly<Record<string, readonly Row[]>>): string {
  return Object.entries(rows)
    .map(([area, all]) => {
      const differing = all.filter(({ entry }) => entry.differs);
      const title = `### ${area[0]?.toUpperCase()}${area.slice(1)}: ${differing.length} of ${all.length} cases differ`;
      const lines = differing.map(({ entry, tslab, ours }) => {
        const { why = "", isBetter = false } = entry.differs ?? {};
        return [codes(entry.cells), codes(tslab), codes(ours), isBetter ? `**better**: ${why}` : why];
      });
      const head = ["Cells", "tslab 1.0.22", "Attention Lab", "Why"];
      const table = [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
      return `${title}\n\n${table}`;
    })
    .join("\n\n");
}

/** One code span per cell; a cell without output is a dash. */
function codes(texts: readonly string[]): string {
  return texts.map((text) => (text === "" ? "–" : codeSpan(text.replaceAll("\n", " ⏎ ")))).join("<br>");
}

function codeSpan(text: string): string {
  const escaped = text.replaceAll("|", "\\|");
  return escaped.includes("`") ? `\`\` ${escaped} \`\`` : `\`${escaped}\``;
}
