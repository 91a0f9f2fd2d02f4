import { ImportError } from "./importError.js";

/** What `exports` and `imports` of a package.json hold: a path, fallbacks, conditions, or null for "closed". */
export type Target = string | null | readonly Target[] | { readonly [condition: string]: Target };

// What Node's own loader chooses by, for `import`.
const conditions: ReadonlySet<string> = new Set([
  "node",
  "import",
  "node-addons",
  ...("require_module" in process.features ? ["module-sync"] : []),
  "default",
]);

/**
 * The path (`./…`, or a bare specifier for `imports`) that a subpath (`.`, `./x`, `#x`) leads to.
 *
 * Throws   ImportError when the map has no such subpath, or closes it
 * Source   Node.js documentation, "Resolution algorithm specification", PACKAGE_IMPORTS_EXPORTS_RESOLVE
 */
export function mappedPath(map: Target, subpath: string, place: string): string {
  const table = asTable(map);
  const [key, rest] = matchingKey(Object.keys(table), subpath);
  const path = key === undefined ? undefined : pick(table[key], rest);
  if (path !== undefined) return path;
  const known = Object.keys(table).filter((name) => pick(table[name], "*") !== undefined);
  throw new ImportError(`import: ${place} has no export "${subpath}"; known: ${known.join(", ")}`);
}

/** `"exports": "./a.js"` and `"exports": { "import": … }` are short for one entry, `.`. */
function asTable(map: Target): Readonly<Record<string, Target>> {
  if (map === null || typeof map === "string" || isList(map)) return { ".": map };
  return Object.keys(map).every((key) => key.startsWith(".") || key.startsWith("#")) ? map : { ".": map };
}

function isList(target: Target): target is readonly Target[] {
  return Array.isArray(target);
}

/** The exact key, else the pattern with the longest part before its `*`, and what the `*` stands for. */
function matchingKey(keys: readonly string[], subpath: string): readonly [string | undefined, string] {
  if (keys.includes(subpath) && !subpath.includes("*")) return [subpath, ""];
  let best: readonly [string | undefined, string] = [undefined, ""];
  let bestLength = -1;
  for (const key of keys) {
    const [before = "", after] = key.split("*");
    const fits =
      after !== undefined && subpath.length >= key.length && subpath.startsWith(before) && subpath.endsWith(after);
    if (!fits || before.length <= bestLength) continue;
    best = [key, subpath.slice(before.length, subpath.length - after.length)];
    bestLength = before.length;
  }
  return best;
}

function pick(target: Target | undefined, rest: string): string | undefined {
  if (target === undefined || target === null) return undefined;
  if (typeof target === "string") return target.replaceAll("*", rest);
  if (isList(target)) return target.map((each) => pick(each, rest)).find((path) => path !== undefined);
  for (const [condition, value] of Object.entries(target)) {
    if (!conditions.has(condition)) continue;
    const path = pick(value, rest);
    // A condition that is closed (null) ends the search; one that leads nowhere does not.
    if (path !== undefined || value === null) return path;
  }
  return undefined;
}
