import type { Value } from "../value.js";
import type { BlockPlan } from "./plan.js";
import { isPairs } from "./plan.js";

/** Rows of a stage that are computed without tables of pairs, and rows that they are computed from. */
export interface Alone {
  readonly results: readonly Value[];
  /** What comes of tables of pairs, as the output of each head does: the last that a loop over pairs has to give. */
  readonly from: readonly Value[];
}

/**
 * What of the rows that a stage gives needs no table of pairs once what comes of these is there: the whole of a block but
 * its attention. Its weights are the larger part of all, and are read once per block of rows, which may then be long.
 */
export function alone(plan: BlockPlan, stage: number, rows: readonly Value[], word: string): Alone {
  const found = new Map<Value, "edge" | "after" | "before">();
  const kindOf = (x: Value, axis: number): "edge" | "after" | "before" => {
    const known = found.get(x);
    if (known) return known;
    const cuts = plan.rowsOf(x, axis, stage);
    const operands = cuts === "whole" ? [] : x.inputs.flatMap((own, i) => (cuts[i] === undefined ? [] : [{ own, axis: cuts[i] }])); // prettier-ignore
    const isEdge = !isPairs(x, word) && operands.some(({ own }) => isPairs(own, word));
    // All are looked at: each may have edges of its own.
    const kinds = isEdge ? [] : operands.map((operand) => kindOf(operand.own, operand.axis));
    const kind = isEdge ? "edge" : kinds.some((own) => own !== "before") ? "after" : "before";
    found.set(x, kind);
    return kind;
  };
  const results = rows.filter((x) => {
    const place = plan.places.get(x)!;
    return place.kind === "rows" && kindOf(x, place.axis) === "after";
  });
  const reached = new Set<Value>();
  const reach = (x: Value, axis: number): void => {
    if (reached.has(x)) return;
    reached.add(x);
    if (found.get(x) === "edge") return;
    const cuts = plan.rowsOf(x, axis, stage);
    if (cuts !== "whole") x.inputs.forEach((own, i) => cuts[i] !== undefined && reach(own, cuts[i]));
  };
  for (const x of results) {
    const place = plan.places.get(x)!;
    if (place.kind === "rows") reach(x, place.axis);
  }
  return { results, from: [...reached].filter((x) => found.get(x) === "edge") };
}
