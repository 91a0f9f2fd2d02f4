import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname } from "node:path";
import { figureOf, pngWithText, svgToPdf, svgWords, type FigureOptions } from "../figure/index.js";
import { checkOptions, knownNames, OptionError, showWith, type MimeBundle } from "../tensor/index.js";
import { columnsCsv, columnsOf, payloadNpz, payloads, type PayloadMime } from "../views/index.js";
import { svgToPng } from "./png.js";

const optionNames = [
  "sample",
  "head",
  "least",
  "overlay",
  "audio",
  "points",
  "panel",
  "token",
  "palette",
  "scale",
  "widthPx",
  "preset",
  "ink",
];
const extensions = ["svg", "pdf", "png", "csv", "json", "npz"];

/** How a picture of pixels is saved. */
export interface SaveOptions {
  /** Pixels per pixel of the drawing, for PNG; default 3. */
  readonly scale?: number;
}

/** The picture of a result: it can be looked at, and saved for a paper. */
export class Figure {
  readonly #bundle: MimeBundle | Promise<MimeBundle>;
  readonly #options: FigureOptions;

  constructor(bundle: MimeBundle | Promise<MimeBundle>, options: FigureOptions) {
    this.#bundle = bundle;
    this.#options = options;
  }

  /** The picture as SVG text. */
  async svg(): Promise<string> {
    const { mime, payload } = await this.#payload();
    return figureOf(mime, payload, this.#options) ?? "";
  }

  /** The picture as a PDF of one page, with embedded glyphs; texts can be searched. */
  async pdf(): Promise<Uint8Array> {
    const folder = createRequire(import.meta.url).resolve("dejavu-fonts-ttf/package.json");
    const face = (name: string): Promise<Uint8Array> => readFile(folder.replace(/package\.json$/, `ttf/${name}.ttf`));
    const [regular, bold] = await Promise.all([face("DejaVuSans"), face("DejaVuSans-Bold")]);
    return svgToPdf(await this.svg(), { regular, bold });
  }

  /** The picture as PNG; its texts hold where the numbers come from. */
  async png({ scale = 3 }: SaveOptions = {}): Promise<Uint8Array> {
    if (!(scale > 0 && scale <= 16)) {
      throw new OptionError(`figure: scale must be above 0 and at most 16, got ${String(scale)}`);
    }
    const svg = await this.svg();
    return pngWithText(svgToPng(svg, { scale }), svgWords(svg));
  }

  /**
   * Writes the figure into a file, in the format of its name: `.svg`, `.pdf` and `.png` hold the picture, `.csv`, `.npz` and
   * `.json` the numbers behind it, JSON with their provenance. Returns the path.
   *
   * Throws   OptionError on another ending; PayloadError for a table of a report of which no panel is named
   * Example  await figure(run, { preset: "neurips", head: { layer: 5, head: 1 } }).save("head.pdf")
   */
  async save(path: string, options: SaveOptions = {}): Promise<string> {
    checkOptions("save", options, ["scale"]);
    await writeFile(path, await this.#content(extname(path).slice(1).toLowerCase(), path, options));
    return path;
  }

  async #content(extension: string, path: string, options: SaveOptions): Promise<Uint8Array | string> {
    if (extension === "svg") return this.svg();
    if (extension === "pdf") return this.pdf();
    if (extension === "png") return this.png(options);
    const { mime, payload } = this.#part(await this.#payload());
    if (extension === "csv") return columnsCsv(columnsOf(mime, payload));
    if (extension === "json") return `${JSON.stringify(payload, undefined, 1)}\n`;
    if (extension === "npz") return payloadNpz(mime, payload);
    throw new OptionError(
      `save: unknown ending of "${path}"; expected .${extensions.join(", .")}${knownNames(extension, extensions)}`,
    );
  }

  async #payload(): Promise<{ readonly mime: PayloadMime; readonly payload: unknown }> {
    const found = Object.entries(await this.#bundle).find(([mime]) => Object.hasOwn(payloads, mime));
    if (!found) throw new OptionError("figure: this value has no figure; expected a run or the result of an analysis");
    return { mime: found[0] as PayloadMime, payload: found[1] };
  }

  /** The named panel of a report; anything else as it is. */
  #part(whole: { readonly mime: PayloadMime; readonly payload: unknown }): typeof whole {
    const { panel } = this.#options;
    const { panels } = whole.payload as { readonly panels?: readonly (typeof whole & { readonly name: string })[] };
    return panels?.find(({ name }) => name === panel) ?? whole;
  }
}

showWith(Figure.prototype, async (figure) => ({
  "image/png": await figure.png({ scale: 2 }),
  "text/plain": svgWords(await figure.svg()).Title,
}));

/**
 * The figure of a result that shows itself with one: a run, an ablation table, a patching map, a sink report, training curves.
 *
 * Throws   OptionError on a value that does not show itself, or an unknown option
 * Example  await figure(await sinks(model, prompts), { panel: "ε-curves", preset: "column" }).save("sinks.pdf")
 */
export function figure(result: object, options: FigureOptions = {}): Figure {
  checkOptions("figure", options, optionNames);
  const show = (result as Readonly<Record<symbol, unknown>>)[Symbol.for("Jupyter.display")];
  if (typeof show !== "function") {
    throw new OptionError("figure: this value does not show itself; expected a run or the result of an analysis");
  }
  return new Figure(show.call(result) as MimeBundle | Promise<MimeBundle>, options);
}
