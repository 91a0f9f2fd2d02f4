import { decodeBase64 } from "../../views/base64.js";
import { number } from "../svg.js";
import { readPalettePng, setText, type Resources } from "./resources.js";
import type { XmlNode } from "./xml.js";

/** What an element takes from those around it. */
interface Inherited {
  readonly fill: string;
}

/**
 * The drawing operators of an element of a picture, in its own units, y downwards.
 *
 * Throws   RangeError on elements or colours that no drawer of this folder writes
 */
export function operators(node: XmlNode, resources: Resources, inherited: Inherited): string {
  const { name, attributes, children } = node;
  const own = { fill: attributes["fill"] ?? inherited.fill };
  const inner = (): string => children.map((child) => operators(child, resources, own)).join("");
  switch (name) {
    case "title":
    case "desc":
      return "";
    case "svg":
      return `q ${viewport(node)}${inner()}Q\n`;
    case "g":
      return `q ${transform(attributes["transform"])}${inner()}Q\n`;
    case "rect":
      return painted(node, own, `${["x", "y", "width", "height"].map((key) => at(node, key)).join(" ")} re`, resources);
    case "path":
      return painted(node, own, pathOperators(attributes["d"] ?? ""), resources);
    case "circle":
      return painted(
        node,
        own,
        circle(Number(at(node, "cx")), Number(at(node, "cy")), Number(at(node, "r"))),
        resources,
      );
    case "text":
      return textOperators(node, own, resources);
    case "image":
      return imageOperators(node, resources);
    default:
      throw new RangeError(`pdf: no way to draw <${name}>`);
  }
}

const at = ({ attributes }: XmlNode, name: string): string => number(Number(attributes[name] ?? 0));

/** A nested viewport: moved, scaled to its box, and cut. */
function viewport(node: XmlNode): string {
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(node.attributes[name] ?? 0));
  const [left, top, across, down] = (node.attributes["viewBox"] ?? `0 0 ${width} ${height}`).split(" ").map(Number);
  const [sx, sy] = [width / across, height / down];
  return (
    `${number(x)} ${number(y)} ${number(width)} ${number(height)} re W n ` +
    `${sx.toFixed(6)} 0 0 ${sy.toFixed(6)} ${number(x - left * sx)} ${number(y - top * sy)} cm\n`
  );
}

function transform(text: string | undefined): string {
  if (text === undefined) return "";
  const [, name, inside] = /^(translate|rotate)\(([^)]*)\)$/.exec(text) ?? [];
  const values = (inside ?? "").split(/[\s,]+/).map(Number);
  if (name === "translate") return `1 0 0 1 ${number(values[0])} ${number(values[1] ?? 0)} cm\n`;
  if (name !== "rotate") throw new RangeError(`pdf: no way to transform by ${text}`);
  const [angle, x = 0, y = 0] = values;
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  const moved = [x - cos * x + sin * y, y - sin * x - cos * y];
  return `${[cos, sin, -sin, cos].map((value) => value.toFixed(6)).join(" ")} ${moved.map(number).join(" ")} cm\n`;
}

function colour(text: string): string {
  const [, hex] = /^#([0-9a-f]{6})$/i.exec(text) ?? [];
  if (hex === undefined) throw new RangeError(`pdf: no way to paint "${text}"; expected #rrggbb`);
  return [0, 2, 4].map((place) => number(parseInt(hex.slice(place, place + 2), 16) / 255)).join(" ");
}

/** A path filled and stroked as its element says. */
function painted(node: XmlNode, { fill }: Inherited, path: string, resources: Resources): string {
  const { stroke = "none", "stroke-dasharray": dash, "fill-opacity": opacity } = node.attributes;
  const parts: string[] = [];
  if (fill !== "none") parts.push(`${colour(fill)} rg`);
  if (opacity !== undefined) parts.push(`/G${placeIn(resources.opacities, Number(opacity))} gs`);
  if (stroke !== "none") {
    parts.push(`${colour(stroke)} RG ${number(Number(node.attributes["stroke-width"] ?? 1))} w`);
    if (dash !== undefined) parts.push(`[${dash}] 0 d`);
    if (node.attributes["stroke-linejoin"] === "round") parts.push("1 j");
  }
  const paint = fill === "none" ? (stroke === "none" ? "n" : "S") : stroke === "none" ? "f" : "B";
  return `q ${parts.join(" ")} ${path} ${paint} Q\n`;
}

function placeIn(list: number[], value: number): number {
  const found = list.indexOf(value);
  return found < 0 ? list.push(value) - 1 : found;
}

/** The commands that drawers use: M, L, H, V, h, v, z. */
function pathOperators(d: string): string {
  let [x, y] = [0, 0];
  const parts: string[] = [];
  for (const [, command, rest] of d.matchAll(/([MLHVhvz])([^MLHVhvz]*)/g)) {
    const values = rest.trim().split(/[\s,]+/).map(Number); // prettier-ignore
    if (command === "z") {
      parts.push("h");
      continue;
    }
    if (command === "M" || command === "L") [x, y] = values;
    else if (command === "H") [x] = values;
    else if (command === "V") [y] = values;
    else if (command === "h") x += values[0];
    else y += values[0];
    parts.push(`${number(x)} ${number(y)} ${command === "M" ? "m" : "l"}`);
  }
  return parts.join(" ");
}

/** A circle of four cubic curves. */
function circle(x: number, y: number, r: number): string {
  const k = 0.5523 * r;
  const curve = (...points: readonly number[]): string => `${points.map(number).join(" ")} c`;
  return [
    `${number(x + r)} ${number(y)} m`,
    curve(x + r, y + k, x + k, y + r, x, y + r),
    curve(x - k, y + r, x - r, y + k, x - r, y),
    curve(x - r, y - k, x - k, y - r, x, y - r),
    curve(x + k, y - r, x + r, y - k, x + r, y),
  ].join(" ");
}

function textOperators(node: XmlNode, { fill }: Inherited, { fonts }: Resources): string {
  const { attributes, text } = node;
  const weight = attributes["font-weight"] === "bold" ? "bold" : "regular";
  const size = Number(attributes["font-size"] ?? 10);
  const { hex, ems } = setText(fonts[weight], text);
  const before = { middle: ems / 2, end: ems }[attributes["text-anchor"] ?? ""] ?? 0;
  const x = Number(attributes["x"] ?? 0) - before * size;
  return (
    `q ${transform(attributes["transform"])}BT ${colour(fill)} rg /${weight === "bold" ? "F1" : "F0"} ${number(size)} Tf ` +
    `1 0 0 -1 ${number(x)} ${at(node, "y")} Tm <${hex}> Tj ET Q\n`
  );
}

function imageOperators(node: XmlNode, { images, opacities }: Resources): string {
  const [, data] = /^data:image\/png;base64,(.*)$/.exec(node.attributes["href"] ?? "") ?? [];
  if (data === undefined) throw new RangeError("pdf: expected pictures inside the drawing");
  const place = images.push(readPalettePng(decodeBase64(data))) - 1;
  const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(node.attributes[name] ?? 0));
  const { opacity } = node.attributes;
  const seen = opacity === undefined ? "" : `/G${placeIn(opacities, Number(opacity))} gs `;
  return `q ${seen}${number(width)} 0 0 ${number(-height)} ${number(x)} ${number(y + height)} cm /I${place} Do Q\n`;
}
