import type { CurvesPayload } from "attention-lab/views";
import { nearest } from "./readings.js";

/**
 * The x that a key leads to: arrows move by one point of the first shown curve, Page Up and Page Down by a tenth of
 * them, Home and End to the ends; Escape leads out. Undefined for other keys.
 */
export function curveKeys(
  event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">,
  { curves }: CurvesPayload,
  hidden: ReadonlySet<number>,
  range: readonly [number, number] | undefined,
  from: number | undefined,
): number | "out" | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  if (event.key === "Escape") return "out";
  const all = curves.find((_, at) => !hidden.has(at))?.x ?? [];
  const xs = range ? all.filter((x) => x >= range[0] && x <= range[1]) : all;
  const last = xs.length - 1;
  if (last < 0) return undefined;
  const page = Math.max(1, Math.round(xs.length / 10));
  const steps: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1, PageUp: page, PageDown: -page };
  if (event.key === "Home") return xs[0];
  if (event.key === "End") return xs[last];
  const step = steps[event.key];
  if (step === undefined) return undefined;
  if (from === undefined) return xs[0];
  return xs[Math.min(last, Math.max(0, nearest(xs, from, false) + step))];
}
