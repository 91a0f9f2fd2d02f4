import { formatShape } from "../tensor/index.js";
import { diagramParts } from "../views/index.js";
import type { DescribedActivation, DescribedLevel } from "./levels.js";

const box = "border:1px solid currentColor;border-radius:6px;padding:4px 8px;margin:4px 0";
const label = "font-weight:600;margin-right:8px";
const chip =
  "display:inline-block;border:1px solid currentColor;border-radius:4px;padding:0 6px;margin:2px;background:none;color:inherit";

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** An activation: its name, with its whole address and its shape for whoever points at it. */
function chipOf({ address, name, shape }: DescribedActivation): string {
  const full = escaped(`${address} ${formatShape(shape)}`);
  return `<code style="${chip}" title="${full}">${escaped(name)}<small style="opacity:.7"> ${escaped(formatShape(shape))}</small></code>`;
}

function partOf(run: readonly DescribedActivation[]): string {
  const chips = run.map(chipOf).join("");
  const [{ part }] = run;
  return part === ""
    ? `<div>${chips}</div>`
    : `<div style="${box};margin-left:24px"><span style="${label}">${escaped(part)}</span>${chips}</div>`;
}

function levelOf(level: DescribedLevel): string {
  const parts = diagramParts(level.activations).map(partOf).join("");
  if (level.path === "") return parts;
  const times = level.layers === 1 ? "" : ` × ${level.layers}`;
  return `<section style="${box}"><div style="${label}">${escaped(level.path)}${times}</div>${parts}</section>`;
}

/** What there is to draw. */
export interface Described {
  readonly title: string;
  readonly sizes: readonly string[];
  readonly levels: readonly DescribedLevel[];
  readonly notes: readonly string[];
}

/**
 * The architecture as boxes in HTML, in the order of computation from top to bottom: blocks that are alike once, attention and
 * MLP in boxes of their own beside the residual stream, every activation with its address and shape. No script, no colours of
 * its own.
 */
export function diagram({ title, sizes, levels, notes }: Described): string {
  const lines = (texts: readonly string[]): string => texts.map((text) => `<div>${escaped(text)}</div>`).join("");
  const arrow = '<div aria-hidden="true" style="margin-left:12px">↓</div>';
  return (
    `<figure style="margin:0" aria-label="${escaped(`Architecture of ${title}`)}">` +
    `<figcaption><strong>${escaped(title)}</strong>${lines(sizes)}</figcaption>` +
    `${levels.map(levelOf).join(arrow)}${lines(notes)}</figure>`
  );
}
