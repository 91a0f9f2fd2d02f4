import { joined, zlib } from "../zlib.js";
import { operators } from "./content.js";
import { emptyResources, type Resources, type UsedFont, type UsedImage } from "./resources.js";
import { readTrueType } from "./trueType.js";
import { parseDrawing } from "./xml.js";

/** Bytes of the two TrueType fonts that drawings are set in. */
export interface PdfFonts {
  readonly regular: Uint8Array;
  readonly bold: Uint8Array;
}

/** Points of a page per pixel of a drawing. */
const points = 0.75;

/**
 * A drawing of `attention-lab/figure` as a PDF of one page of its size: vectors stay vectors, texts can be searched, used
 * glyphs are embedded, the drawing's title and description are the document's. The same drawing gives the same bytes.
 *
 * Throws   RangeError on SVG that `figureOf` does not write
 * Source   ISO 32000-1: 7.5 (file), 8.5 (paths), 8.9.5 (images), 9.7.4 (CID fonts), 9.10.3 (ToUnicode)
 */
export function svgToPdf(svg: string, fonts: PdfFonts): Uint8Array {
  const drawing = parseDrawing(svg);
  const [width, height] = ["width", "height"].map((name) => Number(drawing.attributes[name]) * points);
  const resources = emptyResources({ regular: readTrueType(fonts.regular), bold: readTrueType(fonts.bold) });
  const page = operators(drawing, resources, { fill: "#000000" });
  const words = (name: string): string => drawing.children.find((child) => child.name === name)?.text ?? "";
  return document(
    [width, height],
    `q ${points} 0 0 ${-points} 0 ${height} cm\n${page}Q\n`,
    resources,
    { Title: words("title"), Subject: words("desc"), Creator: "Attention Lab" },
  ); // prettier-ignore
}

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

const hex = (bytes: Iterable<number>): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Text of any script as a PDF string. */
const unicode = (text: string): string =>
  `<feff${Array.from({ length: text.length }, (_, at) => text.charCodeAt(at).toString(16).padStart(4, "0")).join("")}>`;

function document(
  [width, height]: readonly number[],
  page: string,
  { fonts, images, opacities }: Resources,
  info: Readonly<Record<string, string>>,
): Uint8Array {
  const objects: Uint8Array[] = [];
  const add = (...parts: readonly (string | Uint8Array)[]): number =>
    objects.push(joined(parts.map((part) => (typeof part === "string" ? ascii(part) : part))));
  const stream = (dictionary: string, bytes: Uint8Array): number => {
    const packed = zlib(bytes);
    return add(`<<${dictionary}/Filter/FlateDecode/Length ${packed.length}>>\nstream\n`, packed, "\nendstream");
  };
  const [catalogue, pages, leaf] = [1, 2, 3];
  for (let place = catalogue; place <= leaf; place++) add("");
  const content = stream("", ascii(page));
  const fontNames = [fonts.regular, fonts.bold].map((font, i) => `/F${i} ${embedFont(font, i, add, stream)} 0 R`);
  const imageNames = images.map((image, i) => `/I${i} ${embedImage(image, add)} 0 R`);
  const states = opacities.map((opacity, i) => `/G${i}<</ca ${opacity}>>`);
  const entries = Object.entries(info).map(([name, text]) => `/${name} ${unicode(text)}`);
  const about = add(`<<${entries.join("")}>>`);
  objects[catalogue - 1] = ascii(`<</Type/Catalog/Pages ${pages} 0 R>>`);
  objects[pages - 1] = ascii(`<</Type/Pages/Count 1/Kids[${leaf} 0 R]>>`);
  objects[leaf - 1] = ascii(
    `<</Type/Page/Parent ${pages} 0 R/MediaBox[0 0 ${width} ${height}]/Contents ${content} 0 R` +
      `/Resources<</Font<<${fontNames.join("")}>>/XObject<<${imageNames.join("")}>>/ExtGState<<${states.join("")}>>>>>>`,
  );
  return assembled(objects, catalogue, about);
}

type Add = (...parts: readonly (string | Uint8Array)[]) => number;

function embedFont(
  used: UsedFont,
  index: number,
  add: Add,
  stream: (dictionary: string, bytes: Uint8Array) => number,
): number {
  const { font, glyphs, texts } = used;
  const mille = (units: number): number => Math.round((1000 * units) / font.unitsPerEm);
  // Six letters before a name say that the font is a part of one.
  const name = ["/ATTLAB+DejaVuSans", "/ATTLBB+DejaVuSans-Bold"][index];
  const bytes = font.subset(glyphs);
  const file = stream(`/Length1 ${bytes.length}`, bytes);
  const descriptor = add(
    `<</Type/FontDescriptor/FontName${name}/Flags 4/FontBBox[${font.box.map(mille).join(" ")}]/ItalicAngle 0` +
      `/Ascent ${mille(font.ascent)}/Descent ${mille(font.descent)}/CapHeight ${mille(font.ascent)}/StemV ${80 + 40 * index}` +
      `/FontFile2 ${file} 0 R>>`,
  );
  const widths = glyphs.map((glyph) => mille(font.advance(glyph))).join(" ");
  const descendant = add(
    `<</Type/Font/Subtype/CIDFontType2/BaseFont${name}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>` +
      `/FontDescriptor ${descriptor} 0 R/W[0[${widths}]]/CIDToGIDMap/Identity>>`,
  );
  const toUnicode = stream("", ascii(unicodeMap(texts)));
  return add(
    `<</Type/Font/Subtype/Type0/BaseFont${name}/Encoding/Identity-H/DescendantFonts[${descendant} 0 R]/ToUnicode ${toUnicode} 0 R>>`,
  );
}

/** What each glyph stands for, so that texts can be searched and copied. */
function unicodeMap(texts: readonly string[]): string {
  const lines = texts.map(
    (text, glyph) => `<${glyph.toString(16).padStart(4, "0")}> ${unicode(text).replace("feff", "")}`,
  );
  const blocks = Array.from({ length: Math.ceil(lines.length / 100) }, (_, i) => lines.slice(100 * i, 100 * (i + 1)));
  return [
    "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
    "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def",
    "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
    "1 begincodespacerange <0000> <ffff> endcodespacerange",
    ...blocks.map((block) => `${block.length} beginbfchar\n${block.join("\n")}\nendbfchar`),
    "endcmap CMapName currentdict /CMap defineresource pop end end",
  ].join("\n");
}

/** A palette picture: the lines of the PNG go in as they are. */
function embedImage({ width, height, data, palette, clear }: UsedImage, add: Add): number {
  return add(
    `<</Type/XObject/Subtype/Image/Width ${width}/Height ${height}/BitsPerComponent 8` +
      `/ColorSpace[/Indexed/DeviceRGB ${palette.length / 3 - 1}<${hex(palette)}>]` +
      `${clear ? `/Mask[${clear.join(" ")}]` : ""}/Filter/FlateDecode` +
      `/DecodeParms<</Predictor 15/Colors 1/BitsPerComponent 8/Columns ${width}>>/Length ${data.length}>>\nstream\n`,
    data,
    "\nendstream",
  );
}

function assembled(objects: readonly Uint8Array[], catalogue: number, info: number): Uint8Array {
  const parts = [ascii("%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n")];
  const places: number[] = [];
  let at = parts[0].length;
  objects.forEach((object, i) => {
    const whole = joined([ascii(`${i + 1} 0 obj\n`), object, ascii("\nendobj\n")]);
    places.push(at);
    at += whole.length;
    parts.push(whole);
  });
  const lines = places.map((place) => `${String(place).padStart(10, "0")} 00000 n \n`);
  parts.push(
    ascii(
      `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${lines.join("")}` +
        `trailer\n<</Size ${objects.length + 1}/Root ${catalogue} 0 R/Info ${info} 0 R>>\nstartxref\n${at}\n%%EOF\n`,
    ),
  );
  return joined(parts);
}
