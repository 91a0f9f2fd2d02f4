/** A source map, revision 3, with one source. */
export interface SourceMapJson {
  readonly version: 3;
  readonly sources: readonly string[];
  readonly sourcesContent: readonly string[];
  readonly names: readonly string[];
  readonly mappings: string;
}

/** A place in a text; line and column start at 0, columns count UTF-16 units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** One link of a source map: a column of a generated line, and the place it came from. */
export interface Segment extends Place {
  readonly generatedColumn: number;
}

const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const valueOf = new Map(Array.from(digits, (digit, value) => [digit, value]));

/**
 * The segments of each generated line, by rising generated column.
 *
 * Throws   SyntaxError for a character outside the base-64 alphabet
 * Source   ECMA-426 §9 (Base64 VLQ; five bits a digit, the sign in the lowest bit)
 */
export function decodeMappings(mappings: string): readonly (readonly Segment[])[] {
  let line = 0;
  let column = 0;
  return mappings.split(";").map((group) => {
    const segments: Segment[] = [];
    let generatedColumn = 0;
    for (const field of group.split(",")) {
      if (field === "") continue;
      const [generatedStep = 0, , lineStep, columnStep] = decodeField(field);
      generatedColumn += generatedStep;
      if (lineStep === undefined || columnStep === undefined) continue;
      line += lineStep;
      column += columnStep;
      segments.push({ generatedColumn, line, column });
    }
    return segments;
  });
}

/** The inverse of `decodeMappings`, for a map with one source and no names. */
export function encodeMappings(lines: readonly (readonly Segment[])[]): string {
  let line = 0;
  let column = 0;
  return lines
    .map((segments) => {
      let generatedColumn = 0;
      return segments
        .map((segment) => {
          const steps = [segment.generatedColumn - generatedColumn, 0, segment.line - line, segment.column - column];
          ({ generatedColumn, line, column } = segment);
          return steps.map(encodeNumber).join("");
        })
        .join(",");
    })
    .join(";");
}

/** The source place of a generated place: the nearest segment at or before it; undefined where nothing of the source is before. */
export function sourcePlace(lines: readonly (readonly Segment[])[], generated: Place): Place | undefined {
  const onLine = lines[generated.line]?.findLast((segment) => segment.generatedColumn <= generated.column);
  const found =
    onLine ??
    lines
      .slice(0, generated.line)
      .findLast((segments) => segments.length > 0)
      ?.at(-1);
  return found && { line: found.line, column: found.column };
}

function decodeField(field: string): number[] {
  const numbers: number[] = [];
  let bits = 0;
  let shift = 0;
  for (const digit of field) {
    const value = valueOf.get(digit);
    if (value === undefined) throw new SyntaxError(`source map: unknown digit ${JSON.stringify(digit)}`);
    bits |= (value & 31) << shift;
    shift += 5;
    if (value & 32) continue;
    numbers.push(bits & 1 ? -(bits >>> 1) : bits >>> 1);
    bits = 0;
    shift = 0;
  }
  return numbers;
}

function encodeNumber(value: number): string {
  let bits = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = "";
  do {
    const rest = bits >>> 5;
    text += digits[(bits & 31) | (rest ? 32 : 0)];
    bits = rest;
  } while (bits);
  return text;
}
