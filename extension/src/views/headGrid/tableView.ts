import { visibleToken } from "attention-lab/figure";
import { tableOf, tableRegion } from "../../a11y/dataTable.js";
import { element, tokenElement } from "../../dom/element.js";
import type { Words } from "../../words.js";
import { formatWeight, tokenSpan, type HeadAddress, type HeadGridModel } from "./model.js";
import { scalarColumns } from "./scalarList.js";
import { headName } from "./state.js";

const shownKeys = 3;
const shownRows = 2_000;

/** The numbers behind the picture as a table: of every head, or of one head's rows. */
export function tableView(
  model: HeadGridModel,
  sample: number,
  focused: HeadAddress | undefined,
  words: Words,
): HTMLElement {
  const table = focused ? headTable(model, sample, focused, words) : gridTable(model, sample, words);
  return tableRegion(table, words);
}

function gridTable(model: HeadGridModel, sample: number, words: Words): HTMLTableElement {
  const { layers, heads } = model.payload;
  const { scalars } = model.sample(sample);
  const columns = scalarColumns(words);
  const rows = Array.from({ length: Math.min(layers * heads, shownRows) }, (_, at) =>
    element(
      "tr",
      {},
      element("th", { scope: "row" }, headName({ layer: Math.floor(at / heads), head: at % heads })),
      ...columns.map(({ name, format }) => element("td", {}, format(scalars[name][at] ?? 0))),
    ),
  );
  return tableOf(
    words.__("Numbers per head, means over the queries"),
    [words.__("head"), ...columns.map(({ label }) => label)],
    rows,
  );
}

function headTable(model: HeadGridModel, sample: number, address: HeadAddress, words: Words): HTMLTableElement {
  const { queryTokens, keyTokens } = model.sample(sample);
  const { weights, rows, columns, block } = model.source(sample, address);
  const { codec } = model.reader(sample);
  const body = Array.from({ length: Math.min(rows, shownRows) }, (_, row) => {
    const line = weights.subarray(row * columns, (row + 1) * columns);
    const order = Array.from(line.keys()).sort((one, other) => (line[other] ?? 0) - (line[one] ?? 0));
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, tokenElement(tokenSpan(queryTokens, row, block), "jp-AttentionTable-token")),
      ...order
        .slice(0, shownKeys)
        .map((column) =>
          element(
            "td",
            {},
            tokenElement(
              block === 1 ? visibleToken(keyTokens[column] ?? "") : tokenSpan(keyTokens, column, block),
              "jp-AttentionTable-token",
            ),
            ` ${formatWeight(line[column] ?? 0, codec, block)}`,
          ),
        ),
    );
  });
  return tableOf(
    words.__("Strongest keys of each query, head %1", headName(address)),
    [words.__("query"), ...[1, 2, 3].slice(0, Math.min(shownKeys, columns)).map((place) => words.__("key %1", place))],
    body,
  );
}
