import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Resvg as Renderer } from "@resvg/resvg-js";

const require = createRequire(import.meta.url);
const faces = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"];

/**
 * An SVG text as the bytes of a PNG picture, on every machine with the same fonts: DejaVu, and only for letters that it lacks, those
 * of Chinese, Japanese and Korean, the fonts of the machine.
 * `scale` is pixels per SVG unit, default 2. The renderer is loaded at the first call.
 *
 * Throws   Error when the text is not SVG
 */
export function svgToPng(svg: string, { scale = 2 }: { readonly scale?: number } = {}): Uint8Array {
  const { Resvg } = require("@resvg/resvg-js") as { readonly Resvg: typeof Renderer };
  const folder = join(dirname(require.resolve("dejavu-fonts-ttf/package.json")), "ttf");
  const picture = new Resvg(svg, {
    fitTo: { mode: "zoom", value: scale },
    font: {
      fontFiles: faces.map((face) => join(folder, face)),
      loadSystemFonts: svg.includes("Noto Sans CJK"),
      defaultFontFamily: "DejaVu Sans",
      sansSerifFamily: "DejaVu Sans",
      monospaceFamily: "DejaVu Sans Mono",
    },
  });
  return picture.render().asPng();
}
