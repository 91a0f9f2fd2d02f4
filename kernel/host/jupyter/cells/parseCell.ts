import ts from "typescript";

/** A cell as the parser sees it. */
export interface ParsedCell {
  /** The text to compile: the source, in parentheses where the cell is one object literal. */
  readonly text: string;
  /** Offset of the opening parenthesis that `text` has and the source lacks; undefined when both are equal. */
  readonly inserted: number | undefined;
  readonly file: ts.SourceFile;
  /** In offsets of `text`. */
  readonly errors: readonly ts.DiagnosticWithLocation[];
}

/**
 * Parses a cell as an ES module, so that every form of top-level await is one.
 * A cell that is nothing but `{ a: 1 }`, `{ a, b }` or `{}` is an object literal, not a block.
 */
export function parseCell(source: string): ParsedCell {
  return asObjectLiteral(source) ?? { text: source, inserted: undefined, ...parse(source) };
}

function asObjectLiteral(source: string): ParsedCell | undefined {
  const start = firstToken(source);
  if (source[start] !== "{") return undefined;
  // A closing semicolon belongs to the statement, not to the literal; the line break ends a last comment.
  const end = source.trimEnd().replace(/;$/, "").length;
  const text = `${source.slice(0, start)}(${source.slice(start, end)}\n)`;
  const parsed = parse(text);
  const [statement] = parsed.file.statements;
  const isLiteral =
    parsed.errors.length === 0 &&
    parsed.file.statements.length === 1 &&
    statement !== undefined &&
    ts.isExpressionStatement(statement) &&
    ts.isParenthesizedExpression(statement.expression) &&
    ts.isObjectLiteralExpression(statement.expression.expression);
  return isLiteral ? { text, inserted: start, ...parsed } : undefined;
}

function firstToken(source: string): number {
  const scanner = ts.createScanner(ts.ScriptTarget.ESNext, true, ts.LanguageVariant.Standard, source);
  scanner.scan();
  return scanner.getTokenStart();
}

function parse(text: string): Pick<ParsedCell, "file" | "errors"> {
  const file = ts.createSourceFile("cell.ts", text, {
    languageVersion: ts.ScriptTarget.ESNext,
    setExternalModuleIndicator: (parsed) => {
      // The indicator is what makes the parser read `await (…)` and `await […]` as await, not as a call or an index.
      (parsed as { externalModuleIndicator?: ts.Node | true }).externalModuleIndicator = true;
    },
  });
  // The parser's errors are public only through a whole program; on the file they cost nothing.
  const { parseDiagnostics } = file as ts.SourceFile & { parseDiagnostics: readonly ts.DiagnosticWithLocation[] };
  return { file, errors: parseDiagnostics };
}
