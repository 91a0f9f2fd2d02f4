import { dirname, extname } from "node:path";
import ts from "typescript";
import { CellSyntaxError } from "./cellSyntaxError.js";
import { packageAround } from "./packages.js";
import type { SourceMapJson } from "./sourceMap.js";

/** A file ready to run as the body of a function: of `System` for ES modules, of the five CommonJS names otherwise. */
export interface CompiledFile {
  readonly format: "module" | "commonjs";
  readonly code: string;
  readonly map: SourceMapJson;
}

/**
 * Compiles a TypeScript or JavaScript file. ES modules become System modules: the one format of the compiler
 * that keeps top-level await, live bindings and cycles, and that runs as plain code in the notebook's process.
 * TypeScript is an ES module unless it is `.cts`; JavaScript where its text or its package says so.
 * Loops get no guards: imported code runs at full speed, and an interrupt ends it without its `finally`.
 *
 * Throws   CellSyntaxError at the file's line and column
 */
export function compileFile(path: string, text: string, shownName: string): CompiledFile {
  const format = isModule(path, text) ? "module" : "commonjs";
  const { outputText, sourceMapText, diagnostics } = ts.transpileModule(text, {
    fileName: path,
    reportDiagnostics: true,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: format === "module" ? ts.ModuleKind.System : ts.ModuleKind.CommonJS,
      moduleDetection: format === "module" ? ts.ModuleDetectionKind.Force : ts.ModuleDetectionKind.Auto,
      // System modules are deprecated in TypeScript 6 and gone in 7; the compiler is pinned to 6.
      ignoreDeprecations: "6.0",
      allowJs: true,
      esModuleInterop: true,
      useDefineForClassFields: true,
      sourceMap: true,
    },
  });
  const error = diagnostics?.find(({ file, start }) => file !== undefined && start !== undefined);
  if (error?.start !== undefined) {
    const before = text.slice(0, error.start).split("\n");
    throw new CellSyntaxError(ts.flattenDiagnosticMessageText(error.messageText, "\n"), {
      line: before.length,
      column: (before.at(-1) ?? "").length + 1,
      source: text,
      sourceURL: shownName,
    });
  }
  const { mappings } = JSON.parse(sourceMapText ?? "{}") as { readonly mappings: string };
  return {
    format,
    code: outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, ""),
    map: { version: 3, sources: [shownName], sourcesContent: [text], names: [], mappings },
  };
}

function isModule(path: string, text: string): boolean {
  const extension = extname(path);
  if (extension !== ".js") return extension !== ".cjs" && extension !== ".cts";
  if (packageAround(dirname(path))?.json.type === "module") return true;
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext);
  return ts.isExternalModule(file);
}
