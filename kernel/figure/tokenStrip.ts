import { readLines, type TokenStripPayload } from "../views/index.js";
import { visibleToken } from "../views/visibleToken.js";
import { niceTop, scaleTicks, type ScaleName } from "./colourScale.js";
import { colourBar, provenanceNotes, smallPrint, svgDocument, type ColourRamp } from "./frame.js";
import type { Ink } from "./inks.js";
import { shadeColours, shadeLevel, shades, type ShadeLook } from "./shades.js";
import { element, fitText, textLine, textWidth } from "./svg.js";

const margin = 12;
const letters = 10.5;
const lineHeight = 19;
const mostTokens = 4_000;

/** A token of a strip whose attention shades the text. */
export interface ShadedBy {
  readonly at: number;
  /** `"query"`, the default: where it looks; `"key"`: who looks at it. */
  readonly along?: "query" | "key";
}

/** How a strip is drawn. */
export interface StripDrawing {
  readonly width: number;
  readonly scale: ScaleName;
  readonly ink: Ink;
  readonly token?: ShadedBy | undefined;
}

/** The texts and numbers of a picture of a strip: as it is, or by the attention of one token. */
interface StripContent {
  readonly tokens: readonly string[];
  readonly values: readonly (number | null)[];
  readonly look: ShadeLook;
  readonly measure: string;
  readonly marked: number | undefined;
}

/** The largest number of a strip, which its colours end at, rounded up. */
export function stripTop({ values }: Pick<TokenStripPayload, "values">): number {
  return niceTop(values.reduce<number>((most, value) => Math.max(most, Math.abs(value ?? 0)), 0));
}

/** The colour bar of a strip. */
export function shadeRamp(look: ShadeLook, measure: string): ColourRamp {
  const rgb = shadeColours(look.kind);
  const count = rgb.length / 3;
  const colours = new Uint8Array(256 * 4);
  for (let step = 0; step < count; step++) {
    colours.set(rgb.subarray(3 * step, 3 * step + 3), 4 * step);
    colours[4 * step + 3] = 255;
  }
  const ticks = scaleTicks(look.top, look.scale);
  const half = ticks.filter((tick, at) => tick > 0 && (at % 2 === 0 || tick === look.top));
  const shown = look.kind === "diverging" ? [...half.map((tick) => -tick).reverse(), 0, ...half] : ticks;
  return {
    indices: Uint8Array.from({ length: count }, (_, step) => step),
    colours,
    ticks: shown.map((value) => ({ value, place: shadeLevel(value, look) / (count - 1) })),
    meaning: `${measure}, ${look.scale === "sqrt" ? "square-root scale" : "linear scale"}`,
  };
}

/** A text whose words are shaded by their numbers, as SVG; lines break where the width ends. */
export function drawTokenStrip(payload: TokenStripPayload, drawing: StripDrawing): string {
  const { width, ink } = drawing;
  const { title, attention } = payload;
  const { tokens, values, look, measure, marked } = contentOf(payload, drawing);
  const words = placed(tokens.slice(0, mostTokens), width - 2 * margin);
  const bottom = 52 + ((words.at(-1)?.line ?? 0) + 1) * lineHeight;
  const all = shades(look.kind);
  const notes = [
    ...(tokens.length > mostTokens ? [`the first ${mostTokens} of ${tokens.length} tokens`] : []),
    ...payload.notes,
    ...provenanceNotes(payload),
  ];
  const print = smallPrint(margin, bottom + 34, width - 2 * margin, notes, ink);
  const body = [
    textLine(margin, 22, fitText(title, 13, width - 2 * margin), { size: 13, weight: "bold" }),
    textLine(margin, 37, fitText([...(attention ? [attention.caption] : []), measure].join(" · "), 9, width - 2 * margin), { size: 9, fill: ink.quiet }), // prettier-ignore
    ...words.flatMap(({ word, x, line, wide }, at) => {
      const { fill, ink: letterInk } = all[shadeLevel(values[at], look)];
      const [left, top] = [margin + x, 46 + line * lineHeight];
      const ring = at === marked ? { stroke: "#0072b2", "stroke-width": 2 } : {};
      return [
        element("rect", { x: left, y: top, width: wide, height: lineHeight - 2, rx: 2, fill, ...ring }),
        textLine(left + 2, top + 12.5, word, { size: letters, fill: letterInk }),
      ];
    }),
    ...colourBar(margin, bottom + 6, width - 2 * margin, shadeRamp(look, measure), ink),
    ...print.body,
  ];
  const description = [`${tokens.length} tokens shaded by ${measure}`, ...notes].join(". ");
  return svgDocument(width, Math.ceil(bottom + 34 + print.height + margin), { title, description }, body, ink);
}

function contentOf(payload: TokenStripPayload, { scale, token }: StripDrawing): StripContent {
  const { tokens, values, kind, measure, attention } = payload;
  if (!token) return { tokens, values, look: { kind, scale, top: stripTop(payload) }, measure, marked: undefined };
  if (!attention) throw new RangeError("figure: these tokens have no attention; leave token out");
  const { at, along = "query" } = token;
  const lines = readLines(attention, tokens.length);
  const count = along === "query" ? lines.queries : lines.keys;
  if (!(Number.isInteger(at) && at >= 0 && at < count)) {
    throw new RangeError(`figure: token out of range; expected 0…${count - 1}, got ${at}`);
  }
  const { queries = tokens } = attention;
  const word = JSON.stringify(visibleToken((along === "query" ? queries : tokens)[at]));
  return {
    tokens: along === "query" ? tokens : queries,
    values: Array.from((along === "query" ? lines.row(at) : lines.column(at)).weights),
    look: { kind: "sequential", scale, top: niceTop(attention.largest) },
    measure: along === "query" ? `where ${word} (${at}) looks` : `how much each token looks at ${word} (${at})`,
    marked: attention.queries ? undefined : at,
  };
}

/** Words set in lines of a width. */
function placed(
  tokens: readonly string[],
  width: number,
): readonly { readonly word: string; readonly x: number; readonly line: number; readonly wide: number }[] {
  let [x, line] = [0, 0];
  return tokens.map((token) => {
    const word = fitText(visibleToken(token), letters, width - 4);
    const wide = textWidth(word, letters) + 4;
    if (x > 0 && x + wide > width) [x, line] = [0, line + 1];
    const place = { word, x, line, wide };
    x += wide + 1;
    if (token.includes("\n")) [x, line] = [0, line + 1];
    return place;
  });
}
