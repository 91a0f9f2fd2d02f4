import type { MimeBundle } from "../tensor/index.js";
import { formatShape, showWith } from "../tensor/index.js";
import { diagram } from "./diagram.js";
import type { DescribedActivation, DescribedLevel } from "./levels.js";

/** What a model is made of, as plain values. Shows itself as a diagram, or as a tree in text. */
export class Description {
  readonly title: string;
  /** Layers, heads and widths in words, a line for each kind of attention. */
  readonly sizes: readonly string[];
  readonly levels: readonly DescribedLevel[];
  /** What was found in a file, or done to the weights. */
  readonly notes: readonly string[];

  constructor({ title, sizes, levels, notes }: Pick<Description, "title" | "sizes" | "levels" | "notes">) {
    this.title = title;
    this.sizes = sizes;
    this.levels = levels;
    this.notes = notes;
  }

  /** The tree: activations of one part and one shape share a line. */
  toString(): string {
    return [this.title, ...this.sizes, ...treeOf(this.levels), ...this.notes].join("\n");
  }

  bundle(): MimeBundle {
    return { "text/plain": this.toString(), "text/html": diagram(this) };
  }
}

showWith(Description.prototype, (description) => description.bundle());

/** Activations of one part and one shape, in the order of their first. */
function groupsOf(activations: readonly DescribedActivation[]): readonly (readonly [names: string, shape: string])[] {
  const groups = new Map<string, { readonly part: string; readonly shape: string; readonly names: string[] }>();
  for (const { part, name, shape } of activations) {
    const key = `${part} ${formatShape(shape)}`;
    if (!groups.has(key)) groups.set(key, { part, shape: formatShape(shape), names: [] });
    groups.get(key)!.names.push(name);
  }
  return [...groups.values()].map(({ part, shape, names }) => {
    const list = names.join(", ");
    return [part === "" ? list : names.length > 1 ? `${part}.{${list}}` : `${part}.${list}`, shape] as const;
  });
}

/** `blocks.0 … 11` */
export function rangeOf({ path, layers }: Pick<DescribedLevel, "path" | "layers">): string {
  return layers === 1 ? `${path}.0` : `${path}.0 … ${layers - 1}`;
}

function treeOf(levels: readonly DescribedLevel[]): readonly string[] {
  /** A branch with its names, and the shape behind where it has one. */
  const branches = levels.flatMap((level, i) => {
    const groups = groupsOf(level.activations);
    const isLast = i === levels.length - 1;
    if (level.path === "") {
      return groups.map(([names, shape], j) => [`${isLast && j === groups.length - 1 ? "└" : "├"}─ ${names}`, shape]);
    }
    const inside = groups.map(([names, shape], j) => [
      `${isLast ? " " : "│"}  ${j === groups.length - 1 ? "└" : "├"}─ ${names}`,
      shape,
    ]);
    return [[`${isLast ? "└" : "├"}─ ${rangeOf(level)}`, ""], ...inside];
  });
  const width = Math.max(...branches.map(([names]) => names.length));
  return branches.map(([names, shape]) => (shape === "" ? names : `${names.padEnd(width)}  ${shape}`));
}
