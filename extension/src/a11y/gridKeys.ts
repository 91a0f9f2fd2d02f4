/** A place in a grid of rows and columns, zero-based. */
export interface GridPlace {
  readonly row: number;
  readonly column: number;
}

/**
 * Where a key leads from a place in a grid, or undefined for other keys.
 *
 * Arrows move by one, Home and End within the row (with Ctrl: within the grid), Page Up and Page Down to the first and
 * last row. Moves stop at the edges.
 */
export function gridMove(
  event: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">,
  from: GridPlace,
  rows: number,
  columns: number,
): GridPlace | undefined {
  if (event.altKey || event.metaKey) return undefined;
  const { row, column } = from;
  if (event.ctrlKey) {
    if (event.key === "Home") return { row: 0, column: 0 };
    if (event.key === "End") return { row: rows - 1, column: columns - 1 };
    return undefined;
  }
  switch (event.key) {
    case "ArrowLeft":
      return { row, column: Math.max(0, column - 1) };
    case "ArrowRight":
      return { row, column: Math.min(columns - 1, column + 1) };
    case "ArrowUp":
      return { row: Math.max(0, row - 1), column };
    case "ArrowDown":
      return { row: Math.min(rows - 1, row + 1), column };
    case "Home":
      return { row, column: 0 };
    case "End":
      return { row, column: columns - 1 };
    case "PageUp":
      return { row: 0, column };
    case "PageDown":
      return { row: rows - 1, column };
    default:
      return undefined;
  }
}
