/** Text for SVG content and attributes: markup escaped, characters that XML forbids replaced by �. */
export function escapeXml(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex -- XML 1.0 forbids exactly these
      .replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, "\uFFFD")
      .replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD")
      .replace(/&/g, "&amp;")
      .replace(/</g, "&lt;")
      .replace(/>/g, "&gt;")
      .replace(/"/g, "&quot;")
  );
}

/** An element; attribute values are escaped, numbers rounded to 3 decimals, undefined ones left out. */
export function element(
  name: string,
  attributes: Readonly<Record<string, string | number | undefined>>,
  content: string = "",
): string {
  const written = Object.entries(attributes)
    .filter((entry): entry is [string, string | number] => entry[1] !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? number(value) : escapeXml(value)}"`)
    .join("");
  return content ? `<${name}${written}>${content}</${name}>` : `<${name}${written}/>`;
}

/** At most 3 decimals, no trailing zeros. */
export function number(value: number): string {
  return String(Number(value.toFixed(3)));
}

/** Look of a piece of text. */
export interface TextLook {
  readonly size?: number;
  readonly weight?: "bold";
  readonly fill?: string;
  readonly anchor?: "start" | "middle" | "end";
  readonly rotate?: number;
}

/** A line of text whose baseline starts (or centres, or ends) at x, y. */
export function textLine(x: number, y: number, content: string, look: TextLook = {}): string {
  const { size = 10, weight, fill, anchor, rotate } = look;
  return element(
    "text",
    {
      x,
      y,
      "font-size": size,
      "font-weight": weight,
      fill,
      "text-anchor": anchor,
      transform: rotate === undefined ? undefined : `rotate(${number(rotate)} ${number(x)} ${number(y)})`,
    },
    escapeXml(content),
  );
}

/** About how wide DejaVu Sans sets a text; right to a few per cent for Latin text. */
export function textWidth(text: string, size: number): number {
  let ems = 0;
  for (const letter of text) {
    if (/[ijl.,:;'|! ·]/.test(letter)) ems += 0.33;
    else if (/[mwMW%@]/.test(letter)) ems += 0.92;
    else if (letter > "\u2E7F") ems += 1;
    else if (/[A-Z#&_]/.test(letter)) ems += 0.69;
    else ems += 0.6;
  }
  return ems * size;
}

/** The text, cut with an ellipsis where it would be wider than `width`. */
export function fitText(text: string, size: number, width: number): string {
  if (textWidth(text, size) <= width) return text;
  let kept = "";
  for (const letter of text) {
    if (textWidth(`${kept}${letter}…`, size) > width) break;
    kept += letter;
  }
  return `${kept.trimEnd()}…`;
}

/** The words set in lines no wider than `width`; the last of `most` lines is cut. */
export function wrapText(text: string, size: number, width: number, most: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && (textWidth(`${last} ${word}`, size) <= width || lines.length === most)) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines.map((line) => fitText(line, size, width));
}
