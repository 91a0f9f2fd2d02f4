import { axisOver, type Axis } from "attention-lab/figure";
import type { AblationTablePayload } from "attention-lab/views";
import { element } from "../../dom/element.js";

/** The axis that the effects of some rows share; 0 is on it. */
export function effectAxis({ columns }: AblationTablePayload, rows: readonly number[]): Axis {
  let [low, high] = [0, 0];
  for (const row of rows) {
    for (const end of [columns.effect[row], columns.low[row], columns.high[row]]) {
      low = Math.min(low, end ?? 0);
      high = Math.max(high, end ?? 0);
    }
  }
  return axisOver(low, high, { ticks: 4 });
}

/** The effect of a row as a dot with its interval, on a line with 0 marked. */
export function effectMark({ columns }: AblationTablePayload, row: number, axis: Axis): HTMLElement {
  const [effect, low, high] = [columns.effect[row], columns.low[row], columns.high[row]];
  const at = (value: number): string => `${(100 * axis.place(value)).toFixed(2)}%`;
  const node = element("span", { class: "jp-AttentionEffect", "aria-hidden": "true" });
  const part = (name: string, left: string, width?: string): void => {
    const mark = element("span", { class: `jp-AttentionEffect-${name}` });
    mark.style.left = left;
    if (width !== undefined) mark.style.width = width;
    node.append(mark);
  };
  part("zero", at(0));
  if (typeof low === "number" && typeof high === "number") {
    part("interval", at(low), `${(100 * (axis.place(high) - axis.place(low))).toFixed(2)}%`);
  }
  if (typeof effect === "number") part(effect < 0 ? "dot jp-mod-negative" : "dot", at(effect));
  return node;
}
