import ts from "typescript";
import { CellSyntaxError } from "./cellSyntaxError.js";
import { declareWithLet } from "./declarations.js";
import { guardNode } from "./guards.js";
import { importStatements, namesInUse } from "./imports.js";
import { parseCell } from "./parseCell.js";
import { prepareCell } from "./prepare.js";
import { isStrict } from "./strict.js";
import { decodeMappings, encodeMappings, type SourceMapJson } from "./sourceMap.js";

export { CellSyntaxError } from "./cellSyntaxError.js";
export { completeness, type Completeness } from "./completeness.js";
export type { SourceMapJson } from "./sourceMap.js";

/** A cell ready for `Runtime.evaluate` with `replMode` and `awaitPromise`. */
export interface TransformedCell {
  readonly code: string;
  /** The name that stack frames carry, as given. */
  readonly sourceURL: string;
  readonly map: SourceMapJson;
  /** The cell begins with `// @check`: type errors refuse it. */
  readonly strict: boolean;
}

/**
 * JavaScript for one cell of TypeScript, strict mode, with ES module semantics where a notebook allows them.
 *
 * The code evaluates to the value of the cell's last expression, awaited; a semicolon after it changes nothing;
 * after any other last statement the value is undefined. A cell that is one `{ a: 1 }` is an object literal.
 * `import` runs where it stands, through the runtime's importer; `export` is taken away.
 * Top-level names may be declared again, in any way, by a later cell (`declarations.ts`). Loops carry guards (`guards.ts`).
 * Code made by `eval` or `new Function` is not rewritten: it has no guards and cannot import.
 *
 * Throws   CellSyntaxError for what the parser refuses; other early errors come from the engine
 */
export function transformCell(source: string, options: { readonly name: string }): TransformedCell {
  const { text, inserted, errors } = parseCell(source);
  const [error] = [...errors].sort((a, b) => a.start - b.start);
  if (error !== undefined) throw syntaxError(error, source, options.name);
  const { outputText, sourceMapText } = ts.transpileModule(text, {
    fileName: "cell.ts",
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      moduleDetection: ts.ModuleDetectionKind.Force,
      verbatimModuleSyntax: true,
      useDefineForClassFields: true,
      sourceMap: true,
    },
    transformers: { before: [prepareCell], after: [finishCell] },
  });
  const code = outputText.replace(/\/\/# sourceMappingURL=.*\s*$/, "");
  return {
    code: `${code}//# sourceURL=${options.name}`,
    sourceURL: options.name,
    map: cellMap(sourceMapText ?? "{}", options.name, source, inserted),
    strict: isStrict(source),
  };
}

/** The JavaScript side of the rewriting: types are gone, decorators, enums and `using` are lowered. */
const finishCell: ts.TransformerFactory<ts.SourceFile> = (context) => (file) => {
  const { factory } = context;
  const used = namesInUse(file.statements);
  const statements = file.statements
    .filter((statement) => !ts.isExportDeclaration(statement))
    .flatMap((statement) =>
      ts.isImportDeclaration(statement) ? importStatements(statement, used, factory) : [statement],
    );
  const useStrict = factory.createExpressionStatement(factory.createStringLiteral("use strict"));
  const declared = declareWithLet(statements, context).map((statement) => guardNode(statement, context));
  return factory.updateSourceFile(file, [useStrict, ...declared]);
};

function syntaxError(error: ts.DiagnosticWithLocation, source: string, name: string): CellSyntaxError {
  const before = source.slice(0, error.start).split("\n");
  const message = ts.flattenDiagnosticMessageText(error.messageText, "\n");
  return new CellSyntaxError(message, {
    line: before.length,
    column: (before.at(-1) ?? "").length + 1,
    source,
    sourceURL: name,
  });
}

function cellMap(json: string, name: string, source: string, inserted: number | undefined): SourceMapJson {
  const { mappings } = JSON.parse(json) as { readonly mappings: string };
  return {
    version: 3,
    sources: [name],
    sourcesContent: [source],
    names: [],
    mappings: inserted === undefined ? mappings : withoutParenthesis(mappings, source, inserted),
  };
}

/** Columns behind the parenthesis that made a cell an object literal move back by it. */
function withoutParenthesis(mappings: string, source: string, inserted: number): string {
  const before = source.slice(0, inserted).split("\n");
  const line = before.length - 1;
  const column = (before.at(-1) ?? "").length;
  const lines = decodeMappings(mappings).map((segments) =>
    segments.map((segment) =>
      segment.line === line && segment.column > column ? { ...segment, column: segment.column - 1 } : segment,
    ),
  );
  return encodeMappings(lines);
}
