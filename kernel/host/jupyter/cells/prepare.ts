import ts from "typescript";

/**
 * The TypeScript side of the rewriting: what has to happen while types are still there.
 * Takes `export` away, turns the CommonJS forms of import and export into plain ones,
 * and makes the last expression the value of the cell: awaited, so that a promise shows what it resolves to.
 * A cell that ends in any other statement has the value undefined.
 */
export const prepareCell: ts.TransformerFactory<ts.SourceFile> = (context) => (file) => {
  const { factory } = context;
  const statements = file.statements.flatMap((statement) => plainStatement(statement, factory));
  const last = statements.findLastIndex((statement) => !ts.isEmptyStatement(statement));
  const ending = statements[last];
  if (ending !== undefined && ts.isExpressionStatement(ending)) {
    const awaited = factory.createAwaitExpression(factory.createParenthesizedExpression(ending.expression));
    statements[last] = factory.updateExpressionStatement(ending, ts.setTextRange(awaited, ending.expression));
  } else {
    statements.push(factory.createExpressionStatement(factory.createVoidZero()));
  }
  return factory.updateSourceFile(file, ts.setTextRange(factory.createNodeArray(statements), file.statements));
};

function plainStatement(statement: ts.Statement, factory: ts.NodeFactory): readonly ts.Statement[] {
  if (ts.isExportAssignment(statement)) {
    return [placed(factory.createExpressionStatement(statement.expression), statement)];
  }
  if (ts.isExportDeclaration(statement)) return reexport(statement, factory);
  if (ts.isImportDeclaration(statement)) return importsOnlyTypes(statement) ? [] : [statement];
  if (ts.isImportEqualsDeclaration(statement)) return [importEquals(statement, factory)];
  return [withoutExport(statement, factory)];
}

function placed<N extends ts.Node>(node: N, original: ts.Node): N {
  return ts.setOriginalNode(ts.setTextRange(node, original), original);
}

/** `export … from "x"` still runs x; `export { a }` says nothing in a cell. */
function reexport(statement: ts.ExportDeclaration, factory: ts.NodeFactory): readonly ts.Statement[] {
  if (statement.moduleSpecifier === undefined || statement.isTypeOnly) return [];
  const load = factory.createImportDeclaration(undefined, undefined, statement.moduleSpecifier, statement.attributes);
  return [placed(load, statement)];
}

function importsOnlyTypes(statement: ts.ImportDeclaration): boolean {
  const clause = statement.importClause;
  if (clause === undefined) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const bindings = clause.namedBindings;
  if (clause.name !== undefined || bindings === undefined || !ts.isNamedImports(bindings)) return false;
  return bindings.elements.length > 0 && bindings.elements.every((element) => element.isTypeOnly);
}

/** `import fs = require("fs")` takes the default export, which is what a CommonJS module exports. */
function importEquals(statement: ts.ImportEqualsDeclaration, factory: ts.NodeFactory): ts.Statement {
  const reference = statement.moduleReference;
  if (!ts.isExternalModuleReference(reference)) return withoutExport(statement, factory);
  if (statement.isTypeOnly) return factory.createEmptyStatement();
  const clause = factory.createImportClause(undefined, statement.name, undefined);
  return placed(factory.createImportDeclaration(undefined, clause, reference.expression, undefined), statement);
}

function withoutExport(statement: ts.Statement, factory: ts.NodeFactory): ts.Statement {
  const declared = statement as ts.Statement & { readonly modifiers?: ts.NodeArray<ts.ModifierLike> };
  const kept = declared.modifiers?.filter(
    ({ kind }) => kind !== ts.SyntaxKind.ExportKeyword && kind !== ts.SyntaxKind.DefaultKeyword,
  );
  if (kept === undefined || kept.length === declared.modifiers?.length) return statement;
  const modifiers = kept.filter(ts.isModifier);
  if (ts.isVariableStatement(statement)) {
    return factory.updateVariableStatement(statement, modifiers, statement.declarationList);
  }
  if (ts.isFunctionDeclaration(statement)) {
    const { asteriskToken, name, typeParameters, parameters, type, body } = statement;
    if (name === undefined && body !== undefined) {
      const value = factory.createFunctionExpression(
        modifiers,
        asteriskToken,
        name,
        typeParameters,
        parameters,
        type,
        body,
      );
      return placed(factory.createExpressionStatement(factory.createParenthesizedExpression(value)), statement);
    }
    return factory.updateFunctionDeclaration(
      statement,
      modifiers,
      asteriskToken,
      name,
      typeParameters,
      parameters,
      type,
      body,
    );
  }
  if (ts.isClassDeclaration(statement)) {
    const { name, typeParameters, heritageClauses, members } = statement;
    if (name === undefined) {
      const value = factory.createClassExpression(kept, name, typeParameters, heritageClauses, members);
      return placed(factory.createExpressionStatement(factory.createParenthesizedExpression(value)), statement);
    }
    return factory.updateClassDeclaration(statement, kept, name, typeParameters, heritageClauses, members);
  }
  if (ts.isEnumDeclaration(statement)) {
    return factory.updateEnumDeclaration(statement, modifiers, statement.name, statement.members);
  }
  if (ts.isModuleDeclaration(statement)) {
    return factory.updateModuleDeclaration(statement, modifiers, statement.name, statement.body);
  }
  if (ts.isImportEqualsDeclaration(statement)) {
    return factory.updateImportEqualsDeclaration(
      statement,
      modifiers,
      false,
      statement.name,
      statement.moduleReference,
    );
  }
  // What is left are interfaces and type aliases, which vanish.
  return statement;
}
