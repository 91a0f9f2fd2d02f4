import { decodeBase64 } from "../views/base64.js";
import { peakText, readPatterns, type AudioTimelinePayload } from "../views/index.js";
import { visibleToken } from "../views/visibleToken.js";
import { axisOver, tickText, type Axis } from "./axis.js";
import { niceTop, scalePosition, type ScaleName } from "./colourScale.js";
import { colourBar, pictureImage, provenanceNotes, smallPrint, svgDocument } from "./frame.js";
import { weightRamp } from "./imageOverlay.js";
import { strokes, type Ink } from "./inks.js";
import type { PaletteName } from "./palettes.js";
import type { PlotArea } from "./plotFrame.js";
import { element, fitText, number, textLine, textWidth } from "./svg.js";

const margin = 12;
const labelSize = 8.5;
const longestLabel = 96;
const tallest = 460;
const soundHeight = 40;
const lineHeight = 44;

/** Which attention is shown. */
export interface AudioChoice {
  /** Default: the last map. */
  readonly map?: number;
  /** The token whose attention is drawn as a line; default: the mean over all. */
  readonly token?: number | undefined;
}

/** How attention over a sound is drawn. */
export interface AudioTimelineLook extends AudioChoice {
  readonly width: number;
  readonly ink: Ink;
  readonly palette: PaletteName;
  readonly scale: ScaleName;
  /** False: only the picture. */
  readonly words?: boolean;
}

/** Where the bands lie, all over one axis of time; read-outs use it as well. */
export interface AudioTimelineLayout {
  readonly sound: PlotArea | undefined;
  readonly line: PlotArea;
  readonly matrix: PlotArea;
  /** Seconds. */
  readonly x: Axis;
  readonly labels: readonly string[];
  /** With the axis below. */
  readonly height: number;
}

/** Lays out the sound, the line of one token and a row for each token. */
export function audioTimelineLayout(
  payload: AudioTimelinePayload,
  width: number,
  words: boolean = true,
): AudioTimelineLayout {
  const { tokens, time, sound } = payload;
  const labels = tokens.map((token) => fitText(visibleToken(token), labelSize, Math.min(longestLabel, width / 4)));
  const left = margin + Math.max(34, ...labels.map((label) => textWidth(label, labelSize))) + 8;
  const across = { left, width: Math.max(40, width - left - margin) };
  const top = words ? 48 : 4;
  const lineTop = sound ? top + soundHeight + 4 : top;
  const row = Math.min(18, Math.max(13, 120 / tokens.length), tallest / tokens.length);
  const matrix = { ...across, top: lineTop + lineHeight + 6, height: row * tokens.length };
  return {
    sound: sound ? { ...across, top, height: soundHeight } : undefined,
    line: { ...across, top: lineTop, height: lineHeight },
    matrix,
    x: axisOver(0, time.frames * time.secondsPerFrame, { ticks: Math.max(2, Math.floor(across.width / 70)) }),
    labels,
    height: matrix.top + matrix.height + 32,
  };
}

/** The choice with its defaults. Throws RangeError on a map or token that is not there. */
export function audioChoice(
  { maps, tokens }: AudioTimelinePayload,
  { map = maps.name.length - 1, token }: AudioChoice,
): { readonly map: number; readonly token: number | undefined } {
  const within = (name: string, index: number, count: number): void => {
    if (Number.isInteger(index) && index >= 0 && index < count) return;
    throw new RangeError(`figure: ${name} out of range; expected 0…${count - 1}, got ${index}`);
  };
  within("map", map, maps.name.length);
  if (token !== undefined) within("token", token, tokens.length);
  return { map, token };
}

/** Weights of one map as stored, [token, column]. */
export function audioWeights({ weights, maps }: AudioTimelinePayload, map: number): Float32Array {
  return readPatterns(weights, 1, maps.max).head(map, 0);
}

/** What the line shows: a token's weights, or the mean over all tokens. */
export function audioLine(weights: Float32Array, tokens: number, token: number | undefined): Float32Array {
  const columns = weights.length / tokens;
  if (token !== undefined) return weights.subarray(token * columns, (token + 1) * columns);
  const mean = new Float32Array(columns);
  weights.forEach((weight, at) => (mean[at % columns] += weight / tokens));
  return mean;
}

/** Attention of tokens to a sound as SVG: what was heard, one token's weights as a line, all of them in colours. */
export function drawAudioTimeline(payload: AudioTimelinePayload, look: AudioTimelineLook): string {
  const { width, ink, palette, scale, words = true } = look;
  const { map, token } = audioChoice(payload, look);
  const { title, tokens, maps, notes } = payload;
  const layout = audioTimelineLayout(payload, width, words);
  const weights = audioWeights(payload, map);
  const largest = maps.max[map];
  const ramp = weightRamp(niceTop(largest), largest, palette, scale);
  const inner = width - 2 * margin;
  const barY = layout.height + 8;
  const said = [...columnNote(payload), ...notes];
  const small = smallPrint(margin, barY + 30, inner, [...said, ...provenanceNotes(payload)], ink);
  const what = `${maps.name[map]}: where each of ${tokens.length} tokens listens`;
  const body = [
    ...(words
      ? [
          textLine(margin, 22, fitText(title, 13, inner), { size: 13, weight: "bold" }),
          textLine(margin, 38, fitText(what, 9, inner), { size: 9, fill: ink.quiet }),
        ]
      : []),
    ...soundBand(payload, layout, ink),
    ...lineBand(payload, layout, audioLine(weights, tokens.length, token), map, token, ink),
    ...matrixBand(
      payload,
      layout,
      weights,
      (weight) => scalePosition(weight, niceTop(largest), scale),
      ramp.colours,
      ink,
    ),
    ...timeAxis(layout, ink),
    ...(words ? [...colourBar(margin, barY, inner, ramp, ink), ...small.body] : []),
  ];
  return svgDocument(
    width,
    Math.ceil(words ? barY + 30 + small.height + (small.height > 0 ? margin : 0) : layout.height + 4),
    { title, description: [what, ...said].join(". ") },
    body,
    ink,
  );
}

function columnNote({ time }: AudioTimelinePayload): readonly string[] {
  return time.block === 1 ? [] : [`the largest weight of every ${time.block} frames`];
}

const frameOf = ({ left, top, width, height }: PlotArea, ink: Ink): string =>
  element("rect", { x: left, y: top, width, height, fill: "none", stroke: ink.line, "stroke-width": 0.5 });

/** At most as many columns as there are pixels, the largest of those that share one: no spike is lost to a narrow picture. */
function drawnColumns(
  values: ArrayLike<number>,
  rows: number,
  width: number,
): { readonly columns: number; readonly values: Float32Array } {
  const stored = values.length / rows;
  const columns = Math.min(stored, Math.max(1, Math.floor(width)));
  const drawn = new Float32Array(rows * columns).fill(-Infinity);
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < stored; at++) {
      const to = row * columns + Math.floor((at * columns) / stored);
      drawn[to] = Math.max(drawn[to], values[row * stored + at]);
    }
  }
  return { columns, values: drawn };
}

/** Loud is dark: pitches upwards, in greys of their own. */
function soundBand({ sound }: AudioTimelinePayload, { sound: area }: AudioTimelineLayout, ink: Ink): readonly string[] {
  if (!sound || !area) return [];
  const { columns, values } = drawnColumns(decodeBase64(sound.data), sound.bins, area.width);
  const indices = Uint8Array.from(
    values,
    (_, at) => values[(sound.bins - 1 - Math.floor(at / columns)) * columns + (at % columns)],
  );
  const colours = Uint8Array.from({ length: 1024 }, (_, at) =>
    at % 4 < 3 ? 250 - Math.round(0.86 * Math.floor(at / 4)) : 255,
  );
  const { left, top, width, height } = area;
  return [
    textLine(left - 6, top + height / 2 + 3, "sound", { size: labelSize, fill: ink.quiet, anchor: "end" }),
    pictureImage({ x: left, y: top, width, height }, { width: columns, height: sound.bins, indices, colours }),
    frameOf(area, ink),
  ];
}

function lineBand(
  payload: AudioTimelinePayload,
  { line: area, labels }: AudioTimelineLayout,
  values: Float32Array,
  map: number,
  token: number | undefined,
  ink: Ink,
): readonly string[] {
  const { left, top, width, height } = area;
  const high = niceTop(values.reduce((most, value) => Math.max(most, value), 0));
  const drawn = drawnColumns(values, 1, width);
  const d = Array.from(drawn.values, (value, at) => {
    const y = number(top + height * (1 - value / high));
    return `${at === 0 ? `M${number(left)} ${y}` : `V${y}`}H${number(left + ((at + 1) * width) / drawn.columns)}`;
  }).join("");
  const quiet = { size: labelSize, fill: ink.quiet, anchor: "end" } as const;
  return [
    frameOf(area, ink),
    textLine(left - 6, top + 8, tickText(high), { ...quiet, size: 7.5 }),
    textLine(left - 6, top + height / 2 + 4, token === undefined ? "mean" : labels[token], {
      ...quiet,
      fill: ink.text,
    }),
    textLine(left - 6, top + height, "0", { ...quiet, size: 7.5 }),
    element("path", { d, fill: "none", stroke: strokes[0].stroke, "stroke-width": 1.25, "stroke-linejoin": "round" }),
    ...(token === undefined
      ? []
      : [textLine(left + width - 4, top + 9, `largest at ${peakText(payload, map, token)}`, { ...quiet, size: 7.5 })]),
  ];
}

function matrixBand(
  payload: AudioTimelinePayload,
  { matrix: area, labels, x }: AudioTimelineLayout,
  weights: Float32Array,
  place: (weight: number) => number,
  colours: Uint8Array,
  ink: Ink,
): readonly string[] {
  const { left, top, width, height } = area;
  const row = height / labels.length;
  const step = Math.ceil(10 / row);
  const { columns, values } = drawnColumns(weights, labels.length, width);
  return [
    ...labels.flatMap((label, at) =>
      at % step
        ? []
        : [textLine(left - 6, top + (at + 0.5) * row + 3, label, { size: labelSize, fill: ink.quiet, anchor: "end" })],
    ),
    pictureImage(
      { x: left, y: top, width, height },
      {
        width: columns,
        height: labels.length,
        indices: Uint8Array.from(values, (weight) => Math.round(255 * place(weight))),
        colours,
      },
    ),
    frameOf(area, ink),
    ...alignment(payload, area, x),
  ];
}

/** The beginnings of tokens as stairs: each row from where its token begins to where the next one does. */
function alignment(
  { starts = [] }: AudioTimelinePayload,
  { left, top, width, height }: PlotArea,
  x: Axis,
): readonly string[] {
  if (starts.length === 0) return [];
  const row = height / starts.length;
  const at = (seconds: number): string => number(left + Math.min(1, Math.max(0, x.place(seconds))) * width);
  const d = starts
    .map(
      (start, token) =>
        `${token === 0 ? "M" : "L"}${at(start)} ${number(top + token * row)}V${number(top + (token + 1) * row)}`,
    )
    .join("");
  return [
    element("path", { d, fill: "none", stroke: "#000000", "stroke-opacity": 0.5, "stroke-width": 3 }),
    element("path", { d, fill: "none", stroke: "#ff9f1c", "stroke-width": 1.5 }),
  ];
}

function timeAxis({ matrix: { left, top, width, height }, x }: AudioTimelineLayout, ink: Ink): readonly string[] {
  const bottom = top + height;
  return [
    ...x.ticks.flatMap((tick) => {
      const at = left + x.place(tick) * width;
      return [
        element("path", { d: `M${number(at)} ${number(bottom)}v3`, stroke: ink.quiet, "stroke-width": 0.5 }),
        textLine(at, bottom + 13, tickText(tick), { size: labelSize, fill: ink.quiet, anchor: "middle" }),
      ];
    }),
    textLine(left + width / 2, bottom + 26, "seconds", { size: labelSize, fill: ink.quiet, anchor: "middle" }),
  ];
}
