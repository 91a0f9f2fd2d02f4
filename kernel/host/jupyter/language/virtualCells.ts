import { join } from "node:path";
import { parseCell } from "../cells/parseCell.js";
import { cellNames, type CellNames } from "./cellNames.js";

/** A cell as a module of its own: names of earlier cells are imported, its own are exported. */
export interface VirtualCell {
  readonly path: string;
  readonly text: string;
  readonly names: CellNames;
  /** Offset in `text` of an offset in the cell. */
  toText(offset: number): number;
  /** The inverse; undefined for what was added around the cell. */
  toCell(offset: number): number | undefined;
}

/** Which cell declares a name, as the next cell sees it: the last one that does. */
export type Scope = ReadonlyMap<string, VirtualCell>;

const fileStem = ".notebook-cell-";

/**
 * Each cell becomes an ES module, because a notebook redeclares names and one file cannot:
 *
 *   import { a } from "./.notebook-cell-2.mjs";   what it takes from earlier cells
 *   … the cell …
 *   export { b, c };                               what it declares
 *
 * A module's text depends on earlier cells only, so a new cell leaves the modules before it as they are.
 *
 * With `takeAll` it takes every name in scope, for completion; otherwise only those it mentions.
 */
export function virtualCell(
  source: string,
  place: { readonly folder: string; readonly label: string; readonly scope: Scope; readonly takeAll: boolean },
): VirtualCell {
  const { text: body, inserted, file } = parseCell(source);
  const names = cellNames(file);
  const imports = new Map<string, string[]>();
  for (const [name, cell] of place.scope) {
    if (names.declared.has(name) || !(place.takeAll || names.mentioned.has(name))) continue;
    imports.set(cell.path, [...(imports.get(cell.path) ?? []), name]);
  }
  const head = [...imports].map(
    ([path, taken]) => `import { ${taken.join(", ")} } from ${JSON.stringify(specifierOf(path))};`,
  );
  const own = [...names.declared].filter((name) => !names.exported.has(name));
  const prefix = `${head.join(" ")}\n`;
  const start = prefix.length;
  const textOffset = (offset: number): number =>
    start + offset + (inserted !== undefined && offset >= inserted ? 1 : 0);
  return {
    path: join(place.folder, `${fileStem}${place.label}.mts`),
    text: `${prefix}${body}\n;export { ${own.join(", ")} };\n`,
    names,
    toText: textOffset,
    toCell(offset) {
      const inBody = offset - start;
      const inCell = inserted !== undefined && inBody > inserted ? inBody - 1 : inBody;
      return inCell < 0 || inCell > source.length ? undefined : inCell;
    },
  };
}

/** The names in scope after a cell. */
export function scopeAfter(scope: Scope, cell: VirtualCell): Scope {
  return new Map([...scope, ...[...cell.names.declared].map((name) => [name, cell] as const)]);
}

function specifierOf(path: string): string {
  return `./${path.slice(path.lastIndexOf(fileStem)).replace(/\.mts$/, ".mjs")}`;
}
