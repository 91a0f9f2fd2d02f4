import { axisOver } from "attention-lab/figure";
import type { AblationTablePayload } from "attention-lab/views";
import { element } from "../../dom/element.js";
import type { Words } from "../../words.js";
import { rowName, shownInterval, shownNumber } from "./rows.js";

/** One row in full: the metric as it is and with the head taken out, on average and on each prompt. */
export function rowDetail(payload: AblationTablePayload, row: number, words: Words): HTMLElement {
  const { columns, clean, metric, modes } = payload;
  const mode = modes[columns.mode[row] ?? 0] ?? "";
  const effect = columns.effect[row] ?? 0;
  const mean = meanOf(clean);
  const perPrompt = columns.perPrompt?.[row];
  const without = perPrompt?.map((change, at) => {
    const before = clean[at];
    return typeof change === "number" && typeof before === "number" ? before + change : null;
  });
  const known = [...clean, ...(without ?? [])].filter((value) => value !== null);
  const ends = [0, mean, mean + effect, ...known];
  const axis = axisOver(Math.min(...ends), Math.max(...ends), { ticks: 4 });
  const line = (label: string, value: number, prompts: readonly (number | null)[], out: boolean): HTMLElement => {
    const [from, to] = [axis.place(0), axis.place(value)];
    const bar = element("span", { class: `jp-AttentionBar-fill${out ? " jp-mod-ablated" : ""}` });
    bar.style.left = `${100 * Math.min(from, to)}%`;
    bar.style.width = `${100 * Math.abs(to - from)}%`;
    const dots = prompts.slice(0, mostDots).flatMap((prompt) => {
      if (prompt === null) return [];
      const dot = element("span", { class: "jp-AttentionBar-prompt" });
      dot.style.left = `${100 * axis.place(prompt)}%`;
      return [dot];
    });
    return element(
      "div",
      { class: "jp-AttentionBar" },
      element("span", { class: "jp-AttentionBar-label" }, label),
      element("span", { class: "jp-AttentionBar-track", "aria-hidden": "true" }, bar, ...dots),
      element("span", { class: "jp-AttentionBar-value" }, shownNumber(value)),
    );
  };
  const facts = [
    words.__("change %1, 95 % interval %2", shownNumber(columns.effect[row]), shownInterval(payload, row)),
    words.__("p %1, false discovery rate %2", shownNumber(columns.p[row]), shownNumber(columns.q[row])),
    ...(typeof columns.nullShare[row] === "number"
      ? [words.__("share of random heads with as large an effect: %1", shownNumber(columns.nullShare[row]))]
      : []),
  ];
  return element(
    "section",
    { class: "jp-AttentionAblation-detail", "aria-label": rowName(payload, row) },
    element(
      "div",
      { class: "jp-AttentionAblation-detailName" },
      element("del", {}, rowName(payload, row)),
      ` ${words.__("taken out: %1", mode)}`,
    ),
    line(words.__("%1 as it is", metric), mean, without ? clean : [], false),
    line(words.__("without the head"), mean + effect, without ?? [], true),
    ...facts.map((fact) => element("p", { class: "jp-AttentionFigure-note" }, fact)),
  );
}

const mostDots = 400;

function meanOf(values: readonly (number | null)[]): number {
  const known = values.filter((value) => value !== null);
  return known.length > 0 ? known.reduce((sum, value) => sum + value, 0) / known.length : 0;
}
