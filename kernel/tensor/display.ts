import type { DataOf, DType } from "./dtype.js";
import { isFloat, numberAt } from "./dtype.js";
import { formatShape, stridesOf } from "./shape.js";

interface Shown {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data: DataOf[DType];
}

const edge = 3;

/** Positions shown along an axis of that length; −1 stands for the part left out. */
function shownIndices(length: number): number[] {
  const all = Array.from({ length }, (_, i) => i);
  return length <= 2 * edge + 2 ? all : [...all.slice(0, edge), -1, ...all.slice(-edge)];
}

function formatNumber(x: number, float: boolean): string {
  if (!float || !Number.isFinite(x)) return String(x);
  return x !== 0 && (Math.abs(x) >= 1e5 || Math.abs(x) < 1e-4) ? x.toExponential(3) : x.toFixed(4);
}

/**
 * How a tensor shows itself: a header line, then its values with the middle of long axes left out.
 *
 * Range    at most 7 entries per axis and 64 rows
 */
export function displayTensor({ shape, dtype, data }: Shown): Readonly<Record<string, string>> {
  const strides = stridesOf(shape);
  const lines: string[] = [];
  const render = (axis: number, offset: number, indent: string): string => {
    if (axis === shape.length) return formatNumber(numberAt(dtype, data, offset), isFloat(dtype));
    const parts = shownIndices(shape[axis]).map((i) =>
      i < 0 ? "…" : render(axis + 1, offset + i * strides[axis], `${indent} `),
    );
    return axis === shape.length - 1 ? `[${parts.join(", ")}]` : `[${parts.join(`,\n${indent} `)}]`;
  };
  lines.push(`Tensor ${formatShape(shape)} ${dtype}`);
  const rows = (data.length === 0 ? "[]" : render(0, 0, "")).split("\n");
  lines.push(...(rows.length > 64 ? [...rows.slice(0, 64), "…"] : rows));
  return { "text/plain": lines.join("\n") };
}
