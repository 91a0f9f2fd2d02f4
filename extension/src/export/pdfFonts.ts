import type { PdfFonts } from "attention-lab/figure";

/**
 * The fonts that PDFs are set in, fetched from this extension's own files when first needed.
 *
 * Throws   Error when the server does not give them
 */
export async function pdfFonts(): Promise<PdfFonts> {
  const bytes = async (address: URL): Promise<Uint8Array> => {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`export: the fonts for PDF are not there: ${answer.status} ${answer.statusText}`);
    return new Uint8Array(await answer.arrayBuffer());
  };
  const [regular, bold] = await Promise.all([
    bytes(new URL("dejavu-fonts-ttf/ttf/DejaVuSans.ttf", import.meta.url)),
    bytes(new URL("dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf", import.meta.url)),
  ]);
  return { regular, bold };
}
