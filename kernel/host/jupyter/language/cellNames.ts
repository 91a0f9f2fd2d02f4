import ts from "typescript";
import { varNames } from "../cells/declarations.js";

/** The top-level names of a cell. */
export interface CellNames {
  /** Every name that later cells may use: values, types and imports. */
  readonly declared: ReadonlySet<string>;
  /** Those that carry `export` themselves. */
  readonly exported: ReadonlySet<string>;
  readonly constants: ReadonlySet<string>;
  /** Every identifier in the text, wherever it stands. */
  readonly mentioned: ReadonlySet<string>;
}

export function cellNames(file: ts.SourceFile): CellNames {
  const declared = new Set<string>(varNames(file.statements));
  const exported = new Set<string>();
  const constants = new Set<string>();
  for (const statement of file.statements) {
    const names = namesOf(statement);
    const isConstant =
      ts.isVariableStatement(statement) && (statement.declarationList.flags & ts.NodeFlags.Const) !== 0;
    for (const name of names) {
      declared.add(name);
      if (isExported(statement)) exported.add(name);
      if (isConstant) constants.add(name);
    }
  }
  const mentioned = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) mentioned.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(file);
  return { declared, exported, constants, mentioned };
}

function namesOf(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => boundNames(name));
  }
  if (ts.isImportDeclaration(statement)) return importedNames(statement.importClause);
  if (ts.isModuleDeclaration(statement)) return ts.isIdentifier(statement.name) ? [statement.name.text] : [];
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement) ||
    ts.isImportEqualsDeclaration(statement);
  return isNamed && statement.name !== undefined && statement.name.text !== "" ? [statement.name.text] : [];
}

function boundNames(name: ts.BindingName): readonly string[] {
  if (ts.isIdentifier(name)) return name.text === "" ? [] : [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundNames(element.name) : []));
}

function importedNames(clause: ts.ImportClause | undefined): readonly string[] {
  const bindings = clause?.namedBindings;
  const named = bindings === undefined ? [] : ts.isNamespaceImport(bindings) ? [bindings] : [...bindings.elements];
  return [...(clause?.name ? [clause.name] : []), ...named.map(({ name }) => name)]
    .map(({ text }) => text)
    .filter(Boolean);
}

/** `export default` does not export the name. */
function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  const has = (kind: ts.SyntaxKind): boolean => modifiers?.some((modifier) => modifier.kind === kind) ?? false;
  return has(ts.SyntaxKind.ExportKeyword) && !has(ts.SyntaxKind.DefaultKeyword);
}
