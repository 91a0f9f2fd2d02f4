import ts from "typescript";

/**
 * Makes every top-level name of a cell a `let` of the notebook's scope, so that a later cell may declare it again in any way:
 * the engine refuses to redeclare `const` as `let`, a function as a class, `var` as anything.
 * Functions move to the top, as they are hoisted; `var` names do too, their declarations become assignments.
 *
 * Differs  assigning to a `const` is an error of the type checker only;
 *          `var x` in a later cell makes a new x, where a script would keep the value
 */
export function declareWithLet(statements: readonly ts.Statement[], context: ts.TransformationContext): ts.Statement[] {
  const { factory } = context;
  const names = varNames(statements);
  const functions = statements.filter(ts.isFunctionDeclaration);
  const functionNames = new Set(functions.map(({ name }) => name?.text));
  const letList = (declarations: readonly ts.VariableDeclaration[]): ts.VariableStatement =>
    factory.createVariableStatement(undefined, factory.createVariableDeclarationList(declarations, ts.NodeFlags.Let));
  const hoistedNames = [...names]
    .filter((name) => !functionNames.has(name))
    .map((name) => factory.createVariableDeclaration(name));
  return [
    ...(hoistedNames.length > 0 ? [letList(hoistedNames)] : []),
    ...functions.map((declared) => letList([functionValue(declared, factory)])),
    ...statements
      .filter((statement) => !ts.isFunctionDeclaration(statement))
      .map((statement) => replaceDeclarations(statement, context)),
  ];
}

/** The names that `var` declares in a cell, also inside blocks and loops. */
export function varNames(statements: readonly ts.Statement[]): ReadonlySet<string> {
  const names = new Set<string>();
  statements.forEach((statement) => collectVarNames(statement, names));
  return names;
}

function isVar(list: ts.VariableDeclarationList): boolean {
  return (list.flags & ts.NodeFlags.BlockScoped) === 0;
}

function opensVarScope(node: ts.Node): boolean {
  return ts.isFunctionLike(node) || ts.isClassLike(node);
}

function collectVarNames(node: ts.Node, names: Set<string>): void {
  if (opensVarScope(node)) return;
  if (ts.isVariableDeclarationList(node) && isVar(node)) {
    node.declarations.forEach(({ name }) => collectBoundNames(name, names));
  }
  ts.forEachChild(node, (child) => collectVarNames(child, names));
}

function collectBoundNames(name: ts.BindingName, names: Set<string>): void {
  if (ts.isIdentifier(name)) {
    names.add(name.text);
    return;
  }
  for (const element of name.elements) {
    if (ts.isBindingElement(element)) collectBoundNames(element.name, names);
  }
}

/** An unnamed function takes the name of its variable, and inside it the name means the variable, as it does in a declaration. */
function functionValue(declared: ts.FunctionDeclaration, factory: ts.NodeFactory): ts.VariableDeclaration {
  const { modifiers, asteriskToken, parameters, body, name } = declared;
  const value = factory.createFunctionExpression(
    modifiers?.filter(ts.isModifier),
    asteriskToken,
    undefined,
    undefined,
    parameters,
    undefined,
    body ?? factory.createBlock([]),
  );
  return factory.createVariableDeclaration(name ?? "", undefined, undefined, ts.setTextRange(value, declared));
}

function replaceDeclarations(statement: ts.Statement, context: ts.TransformationContext): ts.Statement {
  const { factory } = context;
  if (ts.isVariableStatement(statement) && !isVar(statement.declarationList)) {
    const list = factory.createVariableDeclarationList(statement.declarationList.declarations, ts.NodeFlags.Let);
    return factory.updateVariableStatement(statement, [], ts.setTextRange(list, statement.declarationList));
  }
  const visit = (node: ts.Node): ts.Node => {
    if (opensVarScope(node)) return node;
    if (ts.isVariableStatement(node) && isVar(node.declarationList)) {
      const value = assignments(node.declarationList, factory);
      const written = value === undefined ? factory.createEmptyStatement() : factory.createExpressionStatement(value);
      return ts.setTextRange(written, node);
    }
    if (ts.isForStatement(node) && node.initializer && ts.isVariableDeclarationList(node.initializer)) {
      if (isVar(node.initializer)) {
        const value = assignments(node.initializer, factory);
        const loop = factory.updateForStatement(node, value, node.condition, node.incrementor, node.statement);
        return ts.visitEachChild(loop, visit, context);
      }
    }
    if ((ts.isForOfStatement(node) || ts.isForInStatement(node)) && ts.isVariableDeclarationList(node.initializer)) {
      const [declared] = node.initializer.declarations;
      if (declared !== undefined && isVar(node.initializer)) {
        const target = assignmentTarget(declared.name, factory);
        const loop = ts.isForOfStatement(node)
          ? factory.updateForOfStatement(node, node.awaitModifier, target, node.expression, node.statement)
          : factory.updateForInStatement(node, target, node.expression, node.statement);
        return ts.visitEachChild(loop, visit, context);
      }
    }
    return ts.visitEachChild(node, visit, context);
  };
  return visit(statement) as ts.Statement;
}

/** `a = 1, ({ b } = c)` for `var a = 1, { b } = c`; undefined when nothing has a value. */
function assignments(list: ts.VariableDeclarationList, factory: ts.NodeFactory): ts.Expression | undefined {
  const values: readonly ts.Expression[] = list.declarations.flatMap((declared) => {
    if (declared.initializer === undefined) return [];
    const target = assignmentTarget(declared.name, factory);
    return [ts.setTextRange(factory.createAssignment(target, declared.initializer), declared)];
  });
  if (values.length === 0) return undefined;
  return factory.createParenthesizedExpression(values.reduce((left, right) => factory.createComma(left, right)));
}

/** The assignment pattern that is spelled like a binding pattern. */
function assignmentTarget(name: ts.BindingName, factory: ts.NodeFactory): ts.Expression {
  if (ts.isIdentifier(name)) return name;
  const withDefault = (element: ts.BindingElement): ts.Expression => {
    const target = assignmentTarget(element.name, factory);
    return element.initializer ? factory.createAssignment(target, element.initializer) : target;
  };
  if (ts.isArrayBindingPattern(name)) {
    const elements = name.elements.map((element) => {
      if (ts.isOmittedExpression(element)) return element;
      return element.dotDotDotToken ? factory.createSpreadElement(withDefault(element)) : withDefault(element);
    });
    return ts.setTextRange(factory.createArrayLiteralExpression(elements), name);
  }
  const properties = name.elements.map((element) => {
    if (element.dotDotDotToken) return factory.createSpreadAssignment(withDefault(element));
    if (element.propertyName) return factory.createPropertyAssignment(element.propertyName, withDefault(element));
    return factory.createShorthandPropertyAssignment(element.name as ts.Identifier, element.initializer);
  });
  return ts.setTextRange(factory.createObjectLiteralExpression(properties), name);
}
