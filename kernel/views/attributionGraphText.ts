import type { AttributionGraphPayload } from "./attributionGraphPayload.js";
import { provenanceText } from "./heading.js";

const shown = 5;

/**
 * A summary of several lines: how many edges there are, and the largest.
 *
 * Example
 *   EAP of logit difference on gpt2 · 32491 edges
 *     largest: embed → logits 0.61 · 9.6 → logits −0.4
 */
export function attributionGraphText(payload: AttributionGraphPayload): string {
  const { title, nodes, edges, all, notes } = payload;
  const largest = edges.weight.slice(0, shown).map((weight, at) => {
    const reader = [nodes.name[edges.to[at]], edges.input[at]].filter(Boolean).join(" ");
    return `${nodes.name[edges.from[at]]} → ${reader} ${Number(weight.toPrecision(3))}`;
  });
  return [
    `${title} · ${all.edges} ${all.edges === 1 ? "edge" : "edges"}`,
    `  largest: ${largest.join(" · ")}`,
    ...notes,
    ...provenanceText(payload),
  ].join("\n");
}
