import { createRequire } from "node:module";
import { dirname, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { compileFunction } from "node:vm";
import { compileFile, type CompiledFile } from "./compileFile.js";
import { hasChanged, readVersion, type FileVersion } from "./fileVersion.js";
import { ImportError } from "./importError.js";
import type { SourceMapJson } from "./sourceMap.js";

/** A module's exports, as `import * as` sees them. */
export type Namespace = Record<string, unknown>;

/** What the loader asks of its surroundings. */
export interface FileLoaderHost {
  /** The notebook's folder: names in stack frames are relative to it. */
  readonly folder: string;
  /** What a specifier means in a folder: a file of this loader, or a namespace that someone else loads. */
  resolve(specifier: string, folder: string): { readonly path: string } | { load(): Promise<Namespace> };
  /** A dynamic `import()` in a file. */
  import(specifier: string, folder: string): Promise<unknown>;
  addScript(name: string, map: SourceMapJson): void;
}

interface FileModule {
  readonly path: string;
  readonly namespace: Namespace;
  /** The file, and those that it took with `require`. */
  readonly versions: FileVersion[];
  readonly dependencies: FileModule[];
  /** Runs the file's code, once its dependencies have run. */
  body: () => Promise<void> | void;
  evaluation: Promise<void> | undefined;
}

interface SystemModule {
  readonly setters: readonly ((namespace: Namespace) => void)[];
  readonly execute: () => Promise<void> | void;
}

/** Loads the files of a notebook; a file and all that import it run anew once its content has changed. */
export function createFileLoader(host: FileLoaderHost): { load(path: string): Promise<Namespace> } {
  const modules = new Map<string, FileModule>();

  const dropChanged = (): void => {
    const dropped = new Set([...modules.values()].filter(({ versions }) => versions.some(hasChanged)));
    // A module joins when one of its dependencies has; the set grows while it is walked.
    for (const changed of dropped) {
      for (const each of modules.values()) if (each.dependencies.includes(changed)) dropped.add(each);
    }
    for (const { path, versions } of dropped) {
      modules.delete(path);
      const { cache } = createRequire(path);
      for (const version of versions) delete cache[version.path];
    }
  };

  /** Reads a file and all that it imports; nothing runs yet, but packages do. */
  const link = async (path: string, added: FileModule[]): Promise<FileModule> => {
    const known = modules.get(path);
    if (known !== undefined) return known;
    const { text, version } = readVersion(path);
    const created: FileModule = {
      path,
      namespace: emptyNamespace(),
      versions: [version],
      dependencies: [],
      body: () => undefined,
      evaluation: undefined,
    };
    modules.set(path, created);
    added.push(created);
    if (path.endsWith(".json")) {
      created.body = () => void (created.namespace["default"] = parseJson(text, path));
      return created;
    }
    const shownName = relative(host.folder, path);
    const compiled = compileFile(path, text, shownName);
    host.addScript(path, compiled.map);
    if (compiled.format === "commonjs") {
      created.body = () => runCommonJs(created, compiled);
      return created;
    }
    await linkSystem(created, compiled, added);
    return created;
  };

  const linkSystem = async (created: FileModule, { code }: CompiledFile, added: FileModule[]): Promise<void> => {
    const folder = dirname(created.path);
    let specifiers: readonly string[] = [];
    let declare: ((set: typeof setExport, context: object) => SystemModule) | undefined;
    const setExport = (names: string | Namespace, value?: unknown): unknown => {
      if (typeof names === "string") created.namespace[names] = value;
      else Object.assign(created.namespace, names);
      return value;
    };
    const run = compileFunction(code, ["System"], { filename: created.path }) as (system: object) => void;
    run({
      register: (imported: readonly string[], declared: typeof declare) => {
        specifiers = imported;
        declare = declared;
      },
    });
    const url = pathToFileURL(created.path).href;
    const context = {
      id: url,
      meta: { url, filename: created.path, dirname: folder },
      import: (specifier: unknown) => host.import(String(specifier), folder),
    };
    const declared = declare?.(setExport, context);
    const namespaces: Namespace[] = [];
    for (const specifier of specifiers) {
      const found = host.resolve(specifier, folder);
      if ("load" in found) {
        namespaces.push(await found.load());
        continue;
      }
      const dependency = await link(found.path, added);
      created.dependencies.push(dependency);
      namespaces.push(dependency.namespace);
    }
    const setAll = (): void => namespaces.forEach((namespace, index) => declared?.setters[index]?.(namespace));
    setAll();
    created.body = () => {
      // Again, now that the dependencies have run: re-exports copy what is there.
      setAll();
      return declared?.execute();
    };
  };

  return {
    async load(path) {
      dropChanged();
      const added: FileModule[] = [];
      try {
        const root = await link(path, added);
        for (const each of evaluationOrder(root)) await (each.evaluation ??= Promise.resolve().then(() => each.body()));
        return root.namespace;
      } catch (error) {
        // What failed is read again by the next import.
        for (const { path: failed } of added) modules.delete(failed);
        throw error;
      }
    },
  };
}

function emptyNamespace(): Namespace {
  const namespace = Object.create(null) as Namespace;
  return Object.defineProperty(namespace, Symbol.toStringTag, { value: "Module" });
}

/** Dependencies first; in a cycle, the module that was reached first comes last. */
function evaluationOrder(root: FileModule): readonly FileModule[] {
  const order = new Set<FileModule>();
  const entered = new Set<FileModule>();
  const enter = (each: FileModule): void => {
    if (entered.has(each)) return;
    entered.add(each);
    each.dependencies.forEach(enter);
    order.add(each);
  };
  enter(root);
  return [...order];
}

function runCommonJs({ path, namespace, versions }: FileModule, { code }: CompiledFile): void {
  const nodeRequire = createRequire(path);
  const require = Object.assign((specifier: string): unknown => {
    const found = nodeRequire.resolve(specifier);
    if (found.startsWith("/") && !found.includes("/node_modules/")) versions.push(readVersion(found).version);
    return nodeRequire(specifier);
  }, nodeRequire);
  const module: { exports: unknown } = { exports: {} };
  const names = ["exports", "require", "module", "__filename", "__dirname"];
  const run = compileFunction(code, names, { filename: path }) as (...given: readonly unknown[]) => void;
  run.call(module.exports, module.exports, require, module, path, dirname(path));
  if (typeof module.exports === "object") Object.assign(namespace, module.exports);
  namespace["default"] = module.exports;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new ImportError(`import: ${path} is not JSON: ${(cause as Error).message}`);
  }
}
