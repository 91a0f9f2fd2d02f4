import ts from "typescript";
import { cellGlobals } from "./names.js";

/**
 * An import declaration as a call of the importer.
 *
 *   import d, { a as b } from "x" with { type: "json" }
 *   let { default: d, a: b } = await __cellImport("x", { type: "json" }, ["default", "a"])
 *
 * The last argument names what the module must export. A name that begins like a type (a capital letter) and that no code
 * of the cell uses is left out of it, because `import { Model }` without `type` may mean a type.
 */
export function importStatements(
  declaration: ts.ImportDeclaration,
  usedNames: ReadonlySet<string>,
  factory: ts.NodeFactory,
): readonly ts.Statement[] {
  const bindings: readonly Binding[] = declaredNames(declaration.importClause);
  const required = bindings.filter(({ local }) => usedNames.has(local.text) || !/^\p{Lu}/u.test(local.text));
  const call = factory.createAwaitExpression(
    factory.createCallExpression(factory.createIdentifier(cellGlobals.import), undefined, [
      declaration.moduleSpecifier,
      attributesOf(declaration, factory),
      factory.createArrayLiteralExpression(required.map(({ exported }) => factory.createStringLiteral(exported))),
    ]),
  );
  ts.setTextRange(call, declaration);
  const pattern = factory.createObjectBindingPattern(
    bindings.map(({ exported, local }) =>
      factory.createBindingElement(undefined, factory.createStringLiteral(exported), local),
    ),
  );
  const named = declaration.importClause?.namedBindings;
  const letOf = (name: ts.BindingName, value: ts.Expression): ts.Statement =>
    factory.createVariableStatement(
      undefined,
      factory.createVariableDeclarationList(
        [factory.createVariableDeclaration(name, undefined, undefined, value)],
        ts.NodeFlags.Let,
      ),
    );
  if (named !== undefined && ts.isNamespaceImport(named)) {
    const namespace = letOf(named.name, call);
    return bindings.length > 0 ? [namespace, letOf(pattern, named.name)] : [namespace];
  }
  return bindings.length > 0 ? [letOf(pattern, call)] : [factory.createExpressionStatement(call)];
}

interface Binding {
  readonly exported: string;
  readonly local: ts.Identifier;
}

function declaredNames(clause: ts.ImportClause | undefined): readonly Binding[] {
  const named = clause?.namedBindings;
  return [
    ...(clause?.name ? [{ exported: "default", local: clause.name }] : []),
    ...(named && ts.isNamedImports(named)
      ? named.elements.map(({ propertyName, name }) => ({ exported: (propertyName ?? name).text, local: name }))
      : []),
  ];
}

function attributesOf(declaration: ts.ImportDeclaration, factory: ts.NodeFactory): ts.Expression {
  const elements = declaration.attributes?.elements;
  if (elements === undefined) return factory.createVoidZero();
  return factory.createObjectLiteralExpression(
    elements.map(({ name, value }) => factory.createPropertyAssignment(name, value)),
  );
}

/** The names that code reads or writes: identifiers other than import names, property names and keys. */
export function namesInUse(statements: readonly ts.Statement[]): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) return;
    if (ts.isIdentifier(node)) names.add(node.text);
    else if (ts.isPropertyAccessExpression(node)) visit(node.expression);
    else if (ts.isPropertyAssignment(node)) {
      if (ts.isComputedPropertyName(node.name)) visit(node.name);
      visit(node.initializer);
    } else ts.forEachChild(node, visit);
  };
  statements.forEach(visit);
  return names;
}
