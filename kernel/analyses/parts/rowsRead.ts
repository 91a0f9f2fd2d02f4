import type { Value } from "../../graph/index.js";
import { build, inputName } from "../../graph/index.js";

/** Where a value reads a hidden state, and nowhere else. */
export interface RowsRead {
  /** Row and position, one pair per row of the batch, [B,2]. */
  readonly rows: Value;
  /** The values that are the hidden state there, [B,M] each. */
  readonly reads: readonly Value[];
}

/**
 * The one position per row of the batch at which a value reads a hidden state; undefined where it reads more, or in other ways.
 *
 * Shapes   hidden [B,Q,M]
 */
export function rowsRead(value: Value, hidden: Value): RowsRead | undefined {
  const seen = new Set<Value>([value]);
  const reads: Value[] = [];
  for (const each of seen) {
    if (each.inputs.includes(hidden)) reads.push(each);
    else each.inputs.forEach((x) => seen.add(x));
  }
  const names = new Set(
    reads.map(({ op, inputs: [x, rows] }) =>
      op === "GatherND" && x === hidden && rows.source?.kind === "input" ? inputName(rows) : undefined,
    ),
  );
  const rows = reads[0]?.inputs[1];
  const isOne = names.size === 1 && !names.has(undefined) && rows.shape.length === 2 && rows.shape[1] === 2;
  return isOne ? { rows, reads } : undefined;
}

/** An activation at one position per row. Shapes: [B,Q,M] → [B,1,M] */
export function atRows(x: Value, rows: Value): Value {
  return build.unsqueeze(build.gatherND(x, rows), [1]);
}

/** Activations of heads at one position per row. Shapes: [B,H,Q,D] → [B,H,1,D] */
export function headsAtRows(x: Value, rows: Value): Value {
  return build.unsqueeze(build.gatherND(build.transpose(x, [0, 2, 1, 3]), rows), [2]);
}
