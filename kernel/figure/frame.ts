import type { HeadGridPayload, Provenance } from "../views/index.js";
import { pictureAddress } from "./dataUri.js";
import { scalePosition, scaleTicks, type ScaleName } from "./colourScale.js";
import { inks, type Ink } from "./inks.js";
import { rampSheet, sheetColours } from "./patternPicture.js";
import type { PaletteName } from "./palettes.js";
import type { PalettePicture } from "./png.js";
import { element, escapeXml, number, textLine, textWidth, wrapText } from "./svg.js";

/** How a picture is coloured. */
export interface FigureLook {
  readonly palette: PaletteName;
  readonly scale: ScaleName;
  /** Weight at the upper end of the colours. */
  readonly top: number;
  readonly ink: Ink;
}

/** The largest weight of any head of any sample, from the full-precision scalars. */
export function largestWeight(payload: HeadGridPayload): number {
  let largest = 0;
  for (const sample of payload.samples) for (const max of sample.scalars.max) if (max > largest) largest = max;
  return largest;
}

const latin = "DejaVu Sans, Verdana";
/** Chinese, Japanese and Korean, which DejaVu lacks, and the fonts of systems that draw them. */
const wide = /[\u1100-\u11FF\u2E80-\u9FFF\uA960-\uA97F\uAC00-\uD7FF\uF900-\uFAFF\uFF00-\uFFEF]/;
const wideFonts =
  "Noto Sans CJK SC, Noto Sans CJK JP, Hiragino Sans, PingFang SC, Microsoft YaHei, Yu Gothic, Malgun Gothic";

/** A complete SVG document, on white paper unless the ink says otherwise, with a title and a description for readers that do not see it. */
export function svgDocument(
  width: number,
  height: number,
  words: { readonly title: string; readonly description: string },
  body: readonly string[],
  ink: Ink = inks.paper,
): string {
  return element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height,
      viewBox: `0 0 ${number(width)} ${number(height)}`,
      role: "img",
      "font-family": body.some((part) => wide.test(part))
        ? `${latin}, ${wideFonts}, sans-serif`
        : `${latin}, sans-serif`,
      fill: ink.text,
    },
    [
      element("title", {}, escapeXml(words.title)),
      element("desc", {}, escapeXml(words.description)),
      ...(ink.paper === undefined ? [] : [element("rect", { width, height, fill: ink.paper })]),
      ...body,
    ].join("\n"),
  );
}

/** A raster of weights as an `<image>`, squares kept sharp. */
export function sheetImage(
  place: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  sheet: { readonly width: number; readonly height: number; readonly indices: Uint8Array },
  palette: PaletteName,
): string {
  return pictureImage(place, { ...sheet, colours: sheetColours(palette) });
}

/** A picture as an `<image>`, squares kept sharp; what lies behind it shows through where its `opacity` is below 1. */
export function pictureImage(
  place: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
    readonly opacity?: number;
  },
  picture: PalettePicture,
): string {
  return element("image", {
    ...place,
    preserveAspectRatio: "none",
    // Browsers know only the first value and keep it, SVG rasterisers only the second; both draw sharp squares.
    style: "image-rendering:pixelated;image-rendering:optimizeSpeed",
    href: pictureAddress(picture),
  });
}

const barHeight = 8;

/** Colours side by side, with numbers at some of them, and what they mean. */
export interface ColourRamp {
  readonly indices: Uint8Array;
  /** [256,4] red, green, blue, opacity. */
  readonly colours: Uint8Array;
  readonly ticks: readonly { readonly value: number; readonly place: number }[];
  readonly meaning: string;
}

/** The colour bar of attention weights, `height` 22. */
export function weightBar(x: number, y: number, width: number, look: FigureLook, largest: number): readonly string[] {
  const { palette, scale, top } = look;
  const ramp = {
    indices: rampSheet(),
    colours: sheetColours(palette),
    ticks: scaleTicks(top, scale).map((value) => ({ value, place: scalePosition(value, top, scale) })),
    meaning: `attention weight, ${scale === "sqrt" ? "square-root" : "linear"} scale; largest ${Number(largest.toPrecision(3))}`,
  };
  return colourBar(x, y, width, ramp, look.ink);
}

/** A colour bar, `height` 22: a ramp with ticks at x, y, and what the colours mean beside it. */
export function colourBar(
  x: number,
  y: number,
  width: number,
  ramp: ColourRamp,
  ink: Ink = inks.paper,
): readonly string[] {
  const barWidth = Math.min(180, width * 0.4);
  const { indices, colours, ticks, meaning } = ramp;
  const meaningX = x + barWidth + 22;
  return [
    pictureImage({ x, y, width: barWidth, height: barHeight }, { width: indices.length, height: 1, indices, colours }),
    element("rect", { x, y, width: barWidth, height: barHeight, fill: "none", stroke: ink.line, "stroke-width": 0.5 }),
    ...ticks.flatMap(({ value, place }) => {
      const tickX = x + barWidth * place;
      return [
        element("path", {
          d: `M${number(tickX)} ${number(y + barHeight)}v3`,
          stroke: ink.quiet,
          "stroke-width": 0.5,
        }),
        textLine(tickX, y + barHeight + 11, String(value), { size: 8, fill: ink.quiet, anchor: "middle" }),
      ];
    }),
    ...(textWidth(meaning, 9) <= x + width - meaningX
      ? [textLine(meaningX, y + barHeight, meaning, { size: 9, fill: ink.quiet })]
      : wrapText(meaning, 8, x + width - meaningX, 2).map((line, index) =>
          textLine(meaningX, y + 5 + index * 11, line, { size: 8, fill: ink.quiet }),
        )),
  ];
}

/** Provenance and notes in small print, at most 3 lines; returns the lines and the height they take. */
export function smallPrint(
  x: number,
  y: number,
  width: number,
  notes: readonly string[],
  ink: Ink = inks.paper,
): { readonly body: readonly string[]; readonly height: number } {
  const lines = notes.length > 0 ? wrapText(notes.join(" · "), 8, width, 3) : [];
  return {
    body: lines.map((line, index) => textLine(x, y + 8 + index * 11, line, { size: 8, fill: ink.quiet })),
    height: lines.length * 11,
  };
}

/** The payload's provenance as "name value" notes. */
export function provenanceNotes(payload: { readonly provenance: Provenance }): readonly string[] {
  return Object.entries(payload.provenance).map(([name, value]) => `${name} ${value}`);
}

/** Title and description of a drawing. */
export function svgWords(svg: string): { readonly Title: string; readonly Description: string } {
  const words = (name: string): string => {
    const [, text = ""] = new RegExp(`<${name}>([^<]*)</${name}>`).exec(svg) ?? [];
    return text.replace(/&(amp|lt|gt|quot);/g, (_, entity: string) => plain[entity] ?? "");
  };
  return { Title: words("title"), Description: words("desc") };
}

const plain: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"' };
