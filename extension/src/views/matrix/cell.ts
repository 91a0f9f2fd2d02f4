import { visibleToken } from "attention-lab/figure";
import type { MatrixPayload } from "attention-lab/views";
import type { GridPlace } from "../../a11y/gridKeys.js";
import { element, tokenElement } from "../../dom/element.js";

/** The number of a cell with 4 significant digits; a dash where there is none. */
export function valueAt({ values, columns }: MatrixPayload, { row, column }: GridPlace): string {
  const value = values[row * columns.labels.length + column];
  return typeof value === "number" ? String(Number(value.toPrecision(4))).replace("-", "−") : "–";
}

const cellNames = (
  { rows, columns }: MatrixPayload,
  { row, column }: GridPlace,
): readonly (readonly [string, string])[] => [
  [rows.name, visibleToken(rows.labels[row] ?? "")],
  [columns.name, visibleToken(columns.labels[column] ?? "")],
];

/** A cell as plain text, for the live region. */
export function cellText(payload: MatrixPayload, cell: GridPlace): string {
  const names = cellNames(payload, cell).map(([name, label]) => `${name} ${label}`);
  return `${names.join(", ")}: ${valueAt(payload, cell)}`;
}

/** A cell as elements: labels stay data. */
export function cellNodes(payload: MatrixPayload, cell: GridPlace): readonly Node[] {
  return [
    ...cellNames(payload, cell).map(([name, label]) =>
      element(
        "span",
        { class: "jp-AttentionReading-tokens" },
        element("span", { class: "jp-AttentionReading-word" }, `${name} `),
        tokenElement(label, "jp-AttentionReading-token"),
      ),
    ),
    element("span", { class: "jp-AttentionReading-weight" }, valueAt(payload, cell)),
  ];
}
