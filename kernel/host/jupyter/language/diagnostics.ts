import ts from "typescript";
import type { Project } from "./project.js";
import type { VirtualCell } from "./virtualCells.js";

/** What the type checker says about a cell; line and column start at 1, columns and lengths count UTF-16 units. */
export interface CellDiagnostic {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly message: string;
  readonly code: number;
  readonly severity: "error" | "warning";
}

const assignsToImport = 2632;
// JSON without an attribute, extensions left out: a cell's own importer takes both.
const neverMeant = new Set([1543, 2834, 2835]);
// A package without types runs all the same.
const onlyWarned = new Set([7016]);

/** Errors of a cell after all cells that have run; what the module form of a cell brings in is left out. */
export function diagnosticsOf(project: Project, code: string): readonly CellDiagnostic[] {
  const cell = project.current(code);
  const { service } = project;
  const all = [...service.getSyntacticDiagnostics(cell.path), ...service.getSemanticDiagnostics(cell.path)];
  return all.flatMap((found) => asCellDiagnostic(found, cell, code, project));
}

function asCellDiagnostic(found: ts.Diagnostic, cell: VirtualCell, code: string, project: Project): CellDiagnostic[] {
  const offset = found.start === undefined ? undefined : cell.toCell(found.start);
  if (offset === undefined || neverMeant.has(found.code)) return [];
  const before = code.slice(0, offset).split("\n");
  const base = {
    line: before.length,
    column: (before.at(-1) ?? "").length + 1,
    length: found.length ?? 0,
    code: found.code,
    severity: found.category === ts.DiagnosticCategory.Error && !onlyWarned.has(found.code) ? "error" : "warning",
  } as const;
  if (found.code !== assignsToImport) {
    return [{ ...base, message: ts.flattenDiagnosticMessageText(found.messageText, "\n") }];
  }
  // A name of an earlier cell may be assigned, unless that cell made it a constant.
  const name = code.slice(offset, offset + (found.length ?? 0));
  if (!project.isConstant(name)) return [];
  return [{ ...base, message: `Cannot assign to '${name}' because it is a constant.`, code: 2588 }];
}
