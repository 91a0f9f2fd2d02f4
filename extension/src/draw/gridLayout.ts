/** Where the heads of a grid lie on its canvas; whole device pixels, origin at the first head. */
export interface GridLayout {
  /** Device pixels per CSS pixel. */
  readonly ratio: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly pitchX: number;
  readonly pitchY: number;
  readonly width: number;
  readonly height: number;
}

const largestCell = 168;

/**
 * The largest heads with which a row of them fits into `width`.
 *
 * A pattern no longer than its place is magnified by a whole number, so that every weight is a square of equal size;
 * a longer one is pooled to the pixels there are.
 *
 * Units    `width` in CSS pixels; everything else in device pixels
 */
export function gridLayout(options: {
  readonly width: number;
  readonly ratio: number;
  readonly layers: number;
  readonly heads: number;
  readonly rows: number;
  readonly columns: number;
  /** Side no head exceeds, CSS pixels. */
  readonly largest?: number;
  /** Most room between heads, CSS pixels. */
  readonly widestGap?: number;
}): GridLayout {
  const { width, ratio, layers, heads, rows, columns, largest = largestCell, widestGap = 8 } = options;
  const pitch = Math.max(2, Math.floor((width * ratio) / heads));
  const room = pitch > 24 * ratio ? 4 * ratio : pitch > 8 ? Math.max(1, Math.round(ratio)) : 1;
  const inner = Math.max(1, Math.min(Math.floor(largest * ratio), pitch - Math.round(room)));
  const longest = Math.max(rows, columns);
  const side = (count: number): number =>
    longest <= inner ? count * Math.floor(inner / longest) : Math.max(1, Math.round((count * inner) / longest));
  const cellWidth = side(columns);
  const cellHeight = side(rows);
  const spare = Math.min(pitch - cellWidth, Math.round(widestGap * ratio));
  const pitchX = cellWidth + spare;
  const pitchY = cellHeight + spare;
  return {
    ratio,
    cellWidth,
    cellHeight,
    pitchX,
    pitchY,
    width: heads * pitchX - spare,
    height: layers * pitchY - spare,
  };
}

/** The head under a point, and the place inside it as shares 0…1; undefined between heads. */
export function headAt(
  layout: GridLayout,
  layers: number,
  heads: number,
  x: number,
  y: number,
): { readonly layer: number; readonly head: number; readonly across: number; readonly down: number } | undefined {
  const left = x * layout.ratio;
  const top = y * layout.ratio;
  const head = Math.floor(left / layout.pitchX);
  const layer = Math.floor(top / layout.pitchY);
  const across = (left - head * layout.pitchX) / layout.cellWidth;
  const down = (top - layer * layout.pitchY) / layout.cellHeight;
  const inside = head >= 0 && head < heads && layer >= 0 && layer < layers && across < 1 && down < 1;
  return inside ? { layer, head, across, down } : undefined;
}
