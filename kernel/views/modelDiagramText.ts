import { formatShape } from "../tensor/shape.js";
import type { DiagramActivation, DiagramLevel, ModelDiagramPayload } from "./modelDiagramPayload.js";

/** The tree: activations of one part and one shape share a line. */
export function modelDiagramText({
  title,
  sizes,
  levels,
  notes,
}: Pick<ModelDiagramPayload, "title" | "sizes" | "levels" | "notes">): string {
  return [title, ...sizes, ...treeOf(levels), ...notes].join("\n");
}

/** Activations of one part and one shape, in the order of their first. */
function groupsOf(activations: readonly DiagramActivation[]): readonly (readonly [names: string, shape: string])[] {
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
function rangeOf({ path, layers }: Pick<DiagramLevel, "path" | "layers">): string {
  return layers === 1 ? `${path}.0` : `${path}.0 … ${layers - 1}`;
}

function treeOf(levels: readonly DiagramLevel[]): readonly string[] {
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
