import type { AblationTablePayload } from "attention-lab/views";
import { tableRegion } from "../../a11y/dataTable.js";
import { ownKeys } from "../../a11y/shortcuts.js";
import { element } from "../../dom/element.js";
import type { Words } from "../../words.js";
import { effectAxis, effectMark } from "./bars.js";
import { filteredRows, rowName, shownInterval, shownNumber, type AblationFilter, type AblationOrder } from "./rows.js";

/** Rows drawn at once; a button draws more. */
const pageRows = 100;

/** What the table tells. */
export interface EffectTableEvents {
  readonly onOrder: (order: AblationOrder) => void;
  readonly onPick: (row: number) => void;
}

/** Rows of an ablation table with headings that sort. */
export interface EffectTable {
  readonly node: HTMLElement;
  readonly show: (filter: AblationFilter) => void;
  readonly mark: (picked: number | undefined) => void;
}

/** An empty table. */
export function createEffectTable(payload: AblationTablePayload, words: Words, events: EffectTableEvents): EffectTable {
  const headings: readonly { readonly order: AblationOrder; readonly label: string; readonly title: string }[] = [
    { order: "head", label: words.__("head"), title: words.__("layer and head, zero-based") },
    { order: "size", label: words.__("effect"), title: words.__("size of the change, with its 95 % interval") },
    {
      order: "effect",
      label: words.__("change"),
      title: words.__("the metric without the head minus the metric as it is"),
    },
    { order: "low", label: words.__("95 % interval"), title: words.__("bootstrap over prompts") },
    { order: "p", label: "p", title: words.__("sign-flip test over prompts") },
    { order: "q", label: "q", title: words.__("false discovery rate over all heads (Benjamini–Hochberg)") },
    {
      order: "nullShare",
      label: words.__("null"),
      title: words.__("share of random heads of the layer with as large an effect"),
    },
  ];
  const cells = headings.map(({ order, label, title }) => {
    const button = ownKeys(element("button", { class: "jp-AttentionAblation-sort", type: "button", title }, label));
    button.addEventListener("click", () => events.onOrder(order));
    return element("th", { scope: "col" }, button);
  });
  const body = element("tbody");
  const caption = element("caption");
  const table = element("table", {}, caption, element("thead", {}, element("tr", {}, ...cells)), body);
  const node = tableRegion(table, words);
  const more = ownKeys(element("button", { class: "jp-AttentionButton", type: "button" }));
  node.append(more);
  let rows: readonly number[] = [];
  let drawn = 0;
  let picked: number | undefined;
  const heads = new Map<number, HTMLElement>();

  const addPage = (): void => {
    const axis = effectAxis(payload, rows);
    const { columns } = payload;
    for (const row of rows.slice(drawn, drawn + pageRows)) {
      const head = ownKeys(
        element("button", { class: "jp-AttentionAblation-head", type: "button" }, rowName(payload, row)),
      );
      const line = element(
        "tr",
        {},
        element("th", { scope: "row" }, head),
        element("td", {}, effectMark(payload, row, axis)),
        ...[shownNumber(columns.effect[row]), shownInterval(payload, row)].map((text) => element("td", {}, text)),
        ...[columns.p[row], columns.q[row], columns.nullShare[row]].map((value) =>
          element("td", {}, shownNumber(value)),
        ),
      );
      line.addEventListener("click", () => events.onPick(row));
      heads.set(row, head);
      body.append(line);
    }
    drawn = Math.min(rows.length, drawn + pageRows);
    more.hidden = drawn >= rows.length;
    more.textContent = words.__("Show more: %1 of %2", drawn, rows.length);
    mark(picked);
  };
  const mark = (row: number | undefined): void => {
    picked = row;
    for (const [of, head] of heads) {
      head.setAttribute("aria-pressed", String(of === row));
      head.closest("tr")?.classList.toggle("jp-mod-ablated", of === row);
    }
  };
  more.addEventListener("click", addPage);
  return {
    node,
    show(filter): void {
      rows = filteredRows(payload, filter);
      drawn = 0;
      heads.clear();
      body.replaceChildren();
      caption.textContent = words._n("%1 head", "%1 heads", rows.length);
      headings.forEach(({ order }, at) => {
        const sorted = order === filter.order ? (filter.descending ? "descending" : "ascending") : "none";
        cells[at]?.setAttribute("aria-sort", sorted);
      });
      addPage();
    },
    mark,
  };
}
