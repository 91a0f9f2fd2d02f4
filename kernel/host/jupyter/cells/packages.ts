import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { ImportError } from "./importError.js";
import { mappedPath, type Target } from "./packageMap.js";

/** A package.json and the folder it lies in. */
export interface Package {
  readonly folder: string;
  readonly json: {
    readonly name?: string;
    readonly type?: string;
    readonly main?: string;
    readonly exports?: Target;
    readonly imports?: Target;
  };
}

/** `@scope/name/sub/path` as name and subpath (`./sub/path`, or `.`). */
export function splitSpecifier(specifier: string): { readonly name: string; readonly subpath: string } {
  const parts = specifier.split("/");
  const count = specifier.startsWith("@") ? 2 : 1;
  const rest = parts.slice(count).join("/");
  return { name: parts.slice(0, count).join("/"), subpath: rest === "" ? "." : `./${rest}` };
}

/** The folder and all folders above it. */
export function foldersUpward(folder: string): readonly string[] {
  const above = dirname(folder);
  return above === folder ? [folder] : [folder, ...foldersUpward(above)];
}

/** The package that a file of `folder` belongs to; undefined outside any. */
export function packageAround(folder: string): Package | undefined {
  for (const each of foldersUpward(folder)) {
    const found = readPackage(each);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The package of a name as seen from a folder: in a `node_modules` of it or above, else the package the folder is in. */
export function findPackage(name: string, folder: string): Package | undefined {
  const own = packageAround(folder);
  if (own?.json.name === name && own.json.exports !== undefined) return own;
  for (const each of foldersUpward(folder)) {
    const place = join(each, "node_modules", name);
    if (isFolder(place)) return readPackage(realpathSync(place)) ?? { folder: realpathSync(place), json: {} };
  }
  return undefined;
}

/**
 * The file that a subpath of a package is.
 *
 * Throws   ImportError when `exports` hides it or no file is there
 */
export function packageFile({ folder, json }: Package, subpath: string): string {
  const place = `package "${json.name ?? folder}" in ${folder}`;
  if (json.exports !== undefined && json.exports !== null) {
    return existing(join(folder, mappedPath(json.exports, subpath, place)), place);
  }
  const guesses = subpath === "." ? (json.main === undefined ? ["./index"] : [json.main, "./index"]) : [subpath];
  const found = guesses.map((guess) => findFile(join(folder, guess))).find((file) => file !== undefined);
  if (found === undefined)
    throw new ImportError(`import: ${place} has no file for "${subpath}"; expected ${guesses.join(" or ")}`);
  return found;
}

function existing(path: string, place: string): string {
  if (isFile(path)) return path;
  throw new ImportError(`import: ${place} names ${path}, which is not there; is the package built?`);
}

/**
 * A file by its path as people write it: exact, without extension, a folder's index, or with the `.js` that its `.ts` will have.
 *
 * Range    undefined when nothing is there
 */
export function findFile(path: string): string | undefined {
  const typescript = path.replace(/\.(m|c)?js$/, ".$1ts");
  const guesses = [
    path,
    ...(typescript === path ? [] : [typescript]),
    ...[".ts", ".mts", ".js", ".mjs", ".cts", ".cjs", ".json"].map((extension) => path + extension),
    ...["index.ts", "index.js", "index.json"].map((name) => join(path, name)),
  ];
  return guesses.find(isFile);
}

function readPackage(folder: string): Package | undefined {
  const path = join(folder, "package.json");
  if (!isFile(path)) return undefined;
  try {
    return { folder, json: JSON.parse(readFileSync(path, "utf8")) as Package["json"] };
  } catch (cause) {
    throw new ImportError(`import: ${path} is not JSON`, { cause });
  }
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
