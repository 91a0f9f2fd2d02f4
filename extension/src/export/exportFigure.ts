import { figureOf, type FigureOptions } from "attention-lab/figure";

/** Ways to take a picture out of the notebook. */
export type ExportAction = "copy-png" | "copy-svg" | "save-png" | "save-svg";

const pngScale = 3;

/**
 * Copies or saves a picture of a payload as it is set now.
 *
 * Throws   Error when the browser refuses the clipboard or cannot draw the picture
 */
export async function exportFigure(
  action: ExportAction,
  mime: string,
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
    return await new Promise<Blob>((resolve, reject) => {
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("export: the browser drew no PNG"))));
    });
  } finally {
    URL.revokeObjectURL(address);
  }
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
