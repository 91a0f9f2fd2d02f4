import ts from "typescript";
import { codePointsBefore, offsetOf } from "./codePoints.js";
import type { Project } from "./project.js";

/** The content of a `complete_reply`; offsets count code points. */
export interface Completions {
  readonly matches: string[];
  readonly cursorStart: number;
  readonly cursorEnd: number;
  readonly metadata?: object;
}

const mostMatches = 500;

/** What may stand at the cursor: names that begin like the text before it; where none does, names that hold it. */
export function completionsAt(project: Project, code: string, cursorCodePoints: number): Completions {
  const cursor = offsetOf(code, cursorCodePoints);
  const cell = project.current(code);
  const found = project.service.getCompletionsAtPosition(cell.path, cell.toText(cursor), {
    includeCompletionsWithInsertText: false,
    includeCompletionsForModuleExports: false,
    includeAutomaticOptionalChainCompletions: true,
  });
  const span = found?.optionalReplacementSpan;
  const spanStart = span && cell.toCell(span.start);
  const start = spanStart === undefined || spanStart > cursor ? wordStart(code, cursor) : spanStart;
  const prefix = code.slice(start, cursor).toLowerCase();
  const entries = [...(found?.entries ?? [])].sort(
    (a, b) => compare(a.sortText, b.sortText) || compare(a.name, b.name),
  );
  const beginning = entries.filter(({ name }) => name.toLowerCase().startsWith(prefix));
  const chosen = beginning.length > 0 ? beginning : entries.filter(({ name }) => name.toLowerCase().includes(prefix));
  const cursorStart = codePointsBefore(code, start);
  const shown = chosen.slice(0, mostMatches);
  return {
    matches: shown.map(({ name }) => name),
    cursorStart,
    cursorEnd: cursorCodePoints,
    metadata: {
      _jupyter_types_experimental: shown.map(({ name, kind }) => ({
        text: name,
        type: typeOf(kind),
        start: cursorStart,
        end: cursorCodePoints,
      })),
    },
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where the identifier (or the part of a string) before the cursor begins. */
function wordStart(code: string, cursor: number): number {
  const word = /[\p{ID_Continue}$\u200c\u200d]*$/u.exec(code.slice(0, cursor));
  return cursor - (word?.[0].length ?? 0);
}

/** The compiler's kind in the words that Jupyter's completers know. */
function typeOf(kind: ts.ScriptElementKind): string {
  switch (kind) {
    case ts.ScriptElementKind.functionElement:
    case ts.ScriptElementKind.localFunctionElement:
      return "function";
    case ts.ScriptElementKind.memberFunctionElement:
    case ts.ScriptElementKind.callSignatureElement:
      return "method";
    case ts.ScriptElementKind.memberVariableElement:
    case ts.ScriptElementKind.memberGetAccessorElement:
    case ts.ScriptElementKind.memberSetAccessorElement:
    case ts.ScriptElementKind.memberAccessorVariableElement:
      return "property";
    case ts.ScriptElementKind.classElement:
    case ts.ScriptElementKind.localClassElement:
      return "class";
    case ts.ScriptElementKind.interfaceElement:
    case ts.ScriptElementKind.typeElement:
    case ts.ScriptElementKind.typeParameterElement:
    case ts.ScriptElementKind.primitiveType:
      return "interface";
    case ts.ScriptElementKind.enumElement:
    case ts.ScriptElementKind.enumMemberElement:
      return "enum";
    case ts.ScriptElementKind.moduleElement:
    case ts.ScriptElementKind.externalModuleName:
      return "module";
    case ts.ScriptElementKind.scriptElement:
    case ts.ScriptElementKind.directory:
      return "path";
    case ts.ScriptElementKind.keyword:
      return "keyword";
    case ts.ScriptElementKind.string:
      return "text";
    default:
      return "variable";
  }
}
