import { figureOf, pngWithText, svgToPdf, svgWords, type FigureOptions } from "attention-lab/figure";
import { columnsCsv, columnsOf, payloadNpz, type PayloadMime } from "attention-lab/views";
import type { FigureAction } from "../actions.js";
import { pdfFonts } from "./pdfFonts.js";

/** Ways to take a picture, or the numbers behind it, out of the notebook. */
export type ExportAction = Extract<FigureAction, `copy-${string}` | `save-${string}`>;

const pngScale = 3;

/**
 * Copies or saves a picture of a payload as it is set now, or the numbers behind it.
 *
 * Throws   Error when the browser refuses the clipboard or cannot draw the picture
 */
export async function exportFigure(
  action: ExportAction,
  mime: PayloadMime,
  payload: unknown,
  options: FigureOptions,
  fileName: string,
): Promise<void> {
  const svg = figureOf(mime, payload, options);
  if (svg === undefined) throw new Error(`export: no picture for ${mime}`);
  switch (action) {
    case "copy-svg":
      return navigator.clipboard.writeText(svg);
    case "save-svg":
      return saveBlob(new Blob([svg], { type: "image/svg+xml" }), `${fileName}.svg`);
    case "copy-png":
      // The promise goes into the item itself: Safari accepts a write only within the click that asked for it.
      return navigator.clipboard.write([new ClipboardItem({ "image/png": pngOf(svg) })]);
    case "save-png":
      return saveBlob(await pngOf(svg), `${fileName}.png`);
    case "save-pdf":
      return saveBytes(svgToPdf(svg, await pdfFonts()), "application/pdf", `${fileName}.pdf`);
    case "save-csv":
      return saveBlob(new Blob([columnsCsv(columnsOf(mime, payload))], { type: "text/csv" }), `${fileName}.csv`);
    case "save-json":
      return saveBlob(new Blob([JSON.stringify(payload)], { type: "application/json" }), `${fileName}.json`);
    case "save-npz":
      return saveBytes(payloadNpz(mime, payload), "application/zip", `${fileName}.npz`);
  }
}

async function pngOf(svg: string): Promise<Blob> {
  const address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
  try {
    const image = new Image();
    image.src = address;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = image.naturalWidth * pngScale;
    canvas.height = image.naturalHeight * pngScale;
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise<Blob>((resolve, reject) => {
      canvas.toBlob((made) => (made ? resolve(made) : reject(new Error("export: the browser drew no PNG"))));
    });
    const png = pngWithText(new Uint8Array(await blob.arrayBuffer()), svgWords(svg));
    return new Blob([new Uint8Array(png)], { type: "image/png" });
  } finally {
    URL.revokeObjectURL(address);
  }
}

function saveBytes(bytes: Uint8Array, type: string, fileName: string): void {
  saveBlob(new Blob([new Uint8Array(bytes)], { type }), fileName);
}

function saveBlob(blob: Blob, fileName: string): void {
  const address = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = address;
  link.download = fileName;
  link.click();
  // The download reads the address after this turn.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
