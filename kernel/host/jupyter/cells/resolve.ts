import { readdirSync, realpathSync } from "node:fs";
import { builtinModules, isBuiltin } from "node:module";
import { dirname, isAbsolute, join, resolve as resolvePath } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { nearestName } from "../../../tensor/nearest.js";
import { ImportError } from "./importError.js";
import { mappedPath } from "./packageMap.js";
import { findFile, findPackage, foldersUpward, packageAround, packageFile, splitSpecifier } from "./packages.js";

/** What a specifier means, and who loads it. */
export type Resolution =
  /** Node's own loader: packages, builtins, `data:` addresses. Loaded once. */
  | { readonly kind: "node"; readonly specifier: string }
  /** Our loader: the notebook's own files, TypeScript anywhere, JSON. Read again when they change. */
  | { readonly kind: "file"; readonly path: string };

const ownPackage = packageAround(dirname(fileURLToPath(import.meta.url)));

/**
 * Finds what `specifier` means in a file of `folder`, by the rules for ES modules, with two freedoms for files:
 * extensions may be left out, and `./x.js` finds `./x.ts`.
 * This library's own package is always the running one, so that a process holds one instance of it.
 *
 * Throws   ImportError with the nearest name that exists
 */
export function resolveSpecifier(specifier: string, folder: string, builtins: readonly string[] = []): Resolution {
  if (isBuiltin(specifier)) return { kind: "node", specifier };
  if (specifier.startsWith("data:")) return { kind: "node", specifier };
  if (/^\.{0,2}\/|^\.{1,2}$|^file:/.test(specifier) || isAbsolute(specifier)) return fileResolution(specifier, folder);
  if (specifier.startsWith("node:")) {
    throw notFound(
      specifier,
      folder,
      builtinModules.map((name) => `node:${name}`),
    );
  }
  if (/^[a-z][a-z+.-]*:/.test(specifier)) {
    throw new ImportError(`import: "${specifier}" has a scheme that cannot be imported; known: file:, node:, data:`);
  }
  if (specifier.startsWith("#")) return internalImport(specifier, folder, builtins);
  const { name, subpath } = splitSpecifier(specifier);
  const found = ownPackage?.json.name === name ? ownPackage : findPackage(name, folder);
  if (found === undefined) throw notFound(specifier, folder, packageNames(folder, builtins));
  return byLoader(packageFile(found, subpath), true);
}

function fileResolution(specifier: string, folder: string): Resolution {
  const path = specifier.startsWith("file:") ? fileURLToPath(specifier) : resolvePath(folder, specifier);
  const found = findFile(path);
  if (found === undefined) throw notFound(specifier, folder, fileNames(specifier, folder));
  return byLoader(found, false);
}

/** `#name`, from the `imports` of the package around the notebook. */
function internalImport(specifier: string, folder: string, builtins: readonly string[]): Resolution {
  const around = packageAround(folder);
  if (around?.json.imports === undefined) {
    throw new ImportError(`import: cannot find "${specifier}" from ${folder}; no package.json above it has "imports"`);
  }
  const path = mappedPath(around.json.imports, specifier, `package.json in ${around.folder}`);
  return path.startsWith("./")
    ? fileResolution(join(around.folder, path), around.folder)
    : resolveSpecifier(path, around.folder, builtins);
}

/**
 * JavaScript of packages goes to Node, which then shares it with all that other packages import.
 * A link into a workspace is a package too; its TypeScript is ours, as Node's versions differ in what they take.
 */
function byLoader(found: string, isPackage: boolean): Resolution {
  const path = realpathSync(found);
  const isOurs =
    /\.(?:[cm]?ts|json)$/.test(path) || (/\.[cm]?js$/.test(path) && !isPackage && !path.includes("/node_modules/"));
  return isOurs ? { kind: "file", path } : { kind: "node", specifier: pathToFileURL(path).href };
}

function notFound(specifier: string, folder: string, known: readonly string[]): ImportError {
  const near = nearestName(specifier, known);
  return new ImportError(
    `import: cannot find "${specifier}" from ${folder}${near === undefined ? "" : `; did you mean "${near}"?`}`,
  );
}

function packageNames(folder: string, builtins: readonly string[]): readonly string[] {
  const installed = foldersUpward(folder).flatMap((each) => {
    const modules = join(each, "node_modules");
    return entries(modules).flatMap((name) =>
      name.startsWith("@") ? entries(join(modules, name)).map((scoped) => `${name}/${scoped}`) : [name],
    );
  });
  return [...builtins, ...installed, ...builtinModules].filter(
    (name) => !name.startsWith(".") && !name.startsWith("_"),
  );
}

/** The files beside the one that is missing, spelled the way it was. */
function fileNames(specifier: string, folder: string): readonly string[] {
  const head = specifier.slice(0, specifier.lastIndexOf("/") + 1);
  const path = head.startsWith("file:") ? fileURLToPath(head) : resolvePath(folder, head);
  const extension = /\.[a-z]+$/.exec(specifier);
  return entries(path).map((name) => head + (extension ? name : name.replace(/\.[cm]?[jt]s$/, "")));
}

function entries(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
