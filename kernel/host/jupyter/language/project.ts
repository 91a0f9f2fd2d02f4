import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { findFile, foldersUpward, packageAround, splitSpecifier } from "../cells/packages.js";
import { scopeAfter, virtualCell, type Scope, type VirtualCell } from "./virtualCells.js";

/** The notebook as the TypeScript language service sees it. */
export interface Project {
  readonly service: ts.LanguageService;
  /** Replaces the cells that have run, in order. */
  setCells(cells: readonly string[]): void;
  /** The cell that is asked about, after all others. */
  current(code: string): VirtualCell;
  /** Whether the cell that last declared a name made it a constant. */
  isConstant(name: string): boolean;
}

const ownFile = fileURLToPath(import.meta.url);
const ownName = packageAround(dirname(ownFile))?.json.name;
/** What cells get for "tslab" is the kernel's own. */
const ownTslab: ts.ResolvedModuleWithFailedLookupLocations = {
  resolvedModule: {
    resolvedFileName: fileURLToPath(new URL("../tslab/index.d.ts", import.meta.url)),
    extension: ts.Extension.Dts,
    isExternalLibraryImport: true,
  },
};

export function createProject(folder: string): Project {
  const host = createHost(folder);
  const service = ts.createLanguageService(host, ts.createDocumentRegistry());
  let sources: readonly string[] = [];
  let cells: readonly { readonly cell: VirtualCell; readonly after: Scope }[] = [];

  return {
    service,
    setCells(next) {
      const same = next.findIndex((source, index) => source !== sources[index]);
      const kept = cells.slice(0, same < 0 ? next.length : same);
      const added = [...kept];
      for (const source of next.slice(kept.length)) {
        const scope = added.at(-1)?.after ?? new Map<string, VirtualCell>();
        const cell = virtualCell(source, { folder, label: String(added.length + 1), scope, takeAll: false });
        host.put(cell);
        added.push({ cell, after: scopeAfter(scope, cell) });
      }
      sources = [...next];
      cells = added;
    },
    current(code) {
      const scope = cells.at(-1)?.after ?? new Map<string, VirtualCell>();
      const cell = virtualCell(code, { folder, label: "current", scope, takeAll: true });
      host.put(cell);
      host.setRoot(cell.path);
      return cell;
    },
    isConstant: (name) => cells.at(-1)?.after.get(name)?.names.constants.has(name) ?? false,
  };
}

interface Host extends ts.LanguageServiceHost {
  put(cell: VirtualCell): void;
  setRoot(path: string): void;
}

function createHost(folder: string): Host {
  const virtual = new Map<string, { readonly text: string; readonly version: string }>();
  const options = compilerOptions(folder);
  let root: readonly string[] = [];
  let puts = 0;
  const fileExists = (path: string): boolean => virtual.has(path) || ts.sys.fileExists(path);
  const readFile = (path: string, encoding?: string): string | undefined =>
    virtual.get(path)?.text ?? ts.sys.readFile(path, encoding);

  const resolve = (
    specifier: string,
    containing: string,
    mode: ts.ResolutionMode,
  ): ts.ResolvedModuleWithFailedLookupLocations => {
    if (specifier === "tslab") return ownTslab;
    // The library is the running one, wherever the notebook lies.
    const from = splitSpecifier(specifier).name === ownName ? ownFile : containing;
    const found = ts.resolveModuleName(specifier, from, options, { fileExists, readFile }, undefined, undefined, mode);
    if (found.resolvedModule !== undefined || !specifier.startsWith(".")) return found;
    const path = findFile(join(dirname(containing), specifier));
    const extension = path && /\.(?:[cm]?ts|json)$/.exec(path)?.[0];
    if (!path || !extension) return found;
    return { resolvedModule: { resolvedFileName: path, extension, isExternalLibraryImport: false } };
  };

  return {
    put({ path, text }) {
      if (virtual.get(path)?.text === text) return;
      puts += 1;
      virtual.set(path, { text, version: String(puts) });
    },
    setRoot: (path) => void (root = [path]),
    getCompilationSettings: () => options,
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: (given) => ts.getDefaultLibFilePath(given),
    getScriptFileNames: () => [...root],
    getScriptVersion: (path) => virtual.get(path)?.version ?? diskVersion(path),
    getScriptSnapshot(path) {
      const text = readFile(path);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    fileExists,
    readFile,
    directoryExists: (path) => ts.sys.directoryExists(path),
    getDirectories: (path) => ts.sys.getDirectories(path),
    readDirectory: (path, extensions, exclude, include, depth) =>
      ts.sys.readDirectory(path, extensions, exclude, include, depth),
    realpath: (path) => ts.sys.realpath?.(path) ?? path,
    resolveModuleNameLiterals: (literals, containing, _redirected, given, file) =>
      literals.map((literal) => resolve(literal.text, containing, ts.getModeForUsageLocation(file, literal, given))),
  };
}

/** Packages and the compiler's own files stay as they are; the notebook's files may change. */
function diskVersion(path: string): string {
  if (path.includes("/node_modules/")) return "installed";
  return String(ts.sys.getModifiedTime?.(path)?.getTime() ?? 0);
}

function compilerOptions(folder: string): ts.CompilerOptions {
  const typeRoots = [...foldersUpward(folder), ...foldersUpward(dirname(ownFile))]
    .map((each) => join(each, "node_modules", "@types"))
    .filter((path, index, all) => all.indexOf(path) === index && existsSync(path));
  const hasNode = typeRoots.some((path) => existsSync(join(path, "node")));
  return {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    // Without the types of Node, those of the browser at least know console, fetch and timers.
    lib: ["lib.esnext.d.ts", ...(hasNode ? [] : ["lib.dom.d.ts"])],
    types: hasNode ? ["node"] : [],
    typeRoots,
    strict: true,
    noEmit: true,
    allowJs: true,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
    esModuleInterop: true,
    skipLibCheck: true,
    allowUnreachableCode: true,
    allowUnusedLabels: true,
  };
}
