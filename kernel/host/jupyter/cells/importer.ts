import { createFileLoader, type Namespace } from "./fileLoader.js";
import type { FrameMapper } from "./frames.js";
import { ImportError } from "./importError.js";
import { resolveSpecifier } from "./resolve.js";

/** The `import` of a notebook's cells. */
export interface Importer {
  /** The namespace of a module; `attributes` is what follows `with`. */
  import(specifier: string, attributes?: Readonly<Record<string, string>>): Promise<unknown>;
}

export interface ImporterOptions {
  /** The notebook's folder, absolute: relative specifiers start here, packages are sought here and above. */
  readonly folder: string;
  /** Specifiers that the process provides itself; they win over what is installed, so that there is one instance. */
  readonly builtins?: Readonly<Record<string, () => Promise<unknown>>>;
  /** Learns the source maps of imported files. */
  readonly frames?: Pick<FrameMapper, "addScript">;
}

/**
 * An importer for the cells of one notebook. Packages are loaded once, by Node; the notebook's own files
 * (and TypeScript and JSON anywhere) are read again when they, or files they import, have changed.
 *
 * Throws   ImportError: nothing found (with the nearest name), a subpath that a package hides, an unknown attribute
 */
export function createImporter(options: ImporterOptions): Importer {
  const builtins = new Map(Object.entries(options.builtins ?? {}));

  const resolve = (specifier: string, folder: string): { path: string } | { load(): Promise<Namespace> } => {
    const builtin = builtins.get(specifier);
    if (builtin !== undefined) return { load: async () => (await builtin()) as Namespace };
    const found = resolveSpecifier(specifier, folder, [...builtins.keys()]);
    if (found.kind === "file") return { path: found.path };
    return { load: async () => (await import(found.specifier)) as Namespace };
  };

  const importFrom = async (specifier: string, folder: string): Promise<unknown> => {
    const found = resolve(specifier, folder);
    return "load" in found ? found.load() : files.load(found.path);
  };

  const files = createFileLoader({
    folder: options.folder,
    resolve,
    import: importFrom,
    addScript: (name, map) => options.frames?.addScript(name, map),
  });

  return {
    async import(specifier, attributes = {}) {
      for (const [key, value] of Object.entries(attributes)) {
        if (key !== "type" || value !== "json") {
          throw new ImportError(`import: unknown attribute ${key}: "${value}" for "${specifier}"; known: type: "json"`);
        }
      }
      return importFrom(specifier, options.folder);
    },
  };
}
