import type { AblationMeasure, AblationTablePayload } from "attention-lab/views";

/** What rows are ordered by: `"size"` is the size of the effect, `"head"` the place in the model. */
export type AblationOrder = "size" | "head" | AblationMeasure;

/** Which rows are shown, and how. */
export interface AblationFilter {
  readonly mode: number;
  readonly layer: number | undefined;
  /** Only rows with a false discovery rate up to this. */
  readonly mostQ: number | undefined;
  readonly order: AblationOrder;
  readonly descending: boolean;
}

/** The rows that pass a filter, in its order; rows without a number come last either way. */
export function filteredRows({ columns }: AblationTablePayload, filter: AblationFilter): readonly number[] {
  const { mode, layer, mostQ, order, descending } = filter;
  const keyOf = (row: number): number | null => {
    if (order === "head") return (columns.layer[row] ?? 0) * 65_536 + (columns.head[row] ?? 0);
    const value = columns[order === "size" ? "effect" : order][row] ?? null;
    return value === null || order !== "size" ? value : Math.abs(value);
  };
  return columns.mode
    .flatMap((of, row) => (of === mode ? [row] : []))
    .filter((row) => layer === undefined || columns.layer[row] === layer)
    .filter((row) => mostQ === undefined || (columns.q[row] ?? Infinity) <= mostQ)
    .map((row) => ({ row, key: keyOf(row) }))
    .sort((a, b) => {
      if (a.key === null || b.key === null) return (a.key === null ? 1 : 0) - (b.key === null ? 1 : 0);
      return descending ? b.key - a.key : a.key - b.key;
    })
    .map(({ row }) => row);
}

/** The name of a row's head: `L5.H1`. */
export function rowName({ columns }: AblationTablePayload, row: number): string {
  return `L${columns.layer[row] ?? 0}.H${columns.head[row] ?? 0}`;
}

/** A number of a row, shortly; a dash where there is none. */
export function shownNumber(value: number | null | undefined): string {
  return typeof value === "number" ? String(Number(value.toPrecision(3))).replace("-", "−") : "–";
}

/** The interval of a row; a dash where there is none. */
export function shownInterval({ columns }: AblationTablePayload, row: number): string {
  const [low, high] = [columns.low[row], columns.high[row]];
  return typeof low === "number" && typeof high === "number" ? `${shownNumber(low)} … ${shownNumber(high)}` : "–";
}
