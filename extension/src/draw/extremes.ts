/**
 * A matrix as pixels of a canvas: magnified without blending, or, where a pixel covers several cells, in the colour of
 * the value farthest from 0, so that no spike vanishes. `colourOf` gives one word, in the byte order of canvas pixels; hidden cells have a colour of their own.
 */
export function extremePixels(
  values: Float32Array,
  rows: number,
  columns: number,
  size: { readonly width: number; readonly height: number },
  colourOf: (value: number) => number,
  mask: { readonly isHidden: (row: number, column: number) => boolean; readonly colour: number },
): Uint32Array {
  const { width, height } = size;
  const pixels = new Uint32Array(width * height);
  const spans = (count: number, length: number): readonly (readonly [number, number])[] =>
    Array.from({ length }, (_, at) => {
      const first = Math.floor((at * count) / length);
      return [first, Math.max(first, Math.ceil(((at + 1) * count) / length) - 1)];
    });
  const columnSpans = spans(columns, width);
  for (const [y, [firstRow, lastRow]] of spans(rows, height).entries()) {
    for (const [x, [firstColumn, lastColumn]] of columnSpans.entries()) {
      let extreme: number | undefined;
      for (let row = firstRow; row <= lastRow; row++) {
        for (let column = firstColumn; column <= lastColumn; column++) {
          const value = values[row * columns + column] ?? 0;
          if (mask.isHidden(row, column)) continue;
          if (extreme === undefined || Math.abs(value) > Math.abs(extreme)) extreme = value;
        }
      }
      pixels[y * width + x] = extreme === undefined ? mask.colour : colourOf(extreme);
    }
  }
  return pixels;
}
