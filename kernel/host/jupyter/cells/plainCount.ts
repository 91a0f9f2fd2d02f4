import ts from "typescript";

/**
 * Whether a loop only counts and calculates: `for (…; a < b; …)` whose body calls nothing but `Math`, and has no loop,
 * function, `await`, `yield` or `try`. It ends soon by itself, so the loop around it can look for interrupts in its place;
 * a guard in it would cost more than its body.
 */
export function isPlainCount(loop: ts.Node): loop is ts.ForStatement {
  if (!ts.isForStatement(loop) || loop.incrementor === undefined || loop.condition === undefined) return false;
  return isComparison(loop.condition) && [loop.condition, loop.incrementor, loop.statement].every(isArithmetic);
}

const comparisons: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.LessThanToken,
  ts.SyntaxKind.LessThanEqualsToken,
  ts.SyntaxKind.GreaterThanToken,
  ts.SyntaxKind.GreaterThanEqualsToken,
]);

function isComparison(condition: ts.Expression): boolean {
  return ts.isBinaryExpression(condition) && comparisons.has(condition.operatorToken.kind);
}

function isArithmetic(node: ts.Node): boolean {
  if (ts.isCallExpression(node) && !isMathCall(node)) return false;
  const isSlow =
    ts.isNewExpression(node) ||
    ts.isTaggedTemplateExpression(node) ||
    ts.isAwaitExpression(node) ||
    ts.isYieldExpression(node) ||
    ts.isTryStatement(node) ||
    ts.isIterationStatement(node, false) ||
    ts.isFunctionLike(node) ||
    ts.isClassLike(node);
  return !isSlow && !(ts.forEachChild(node, (child) => !isArithmetic(child)) ?? false);
}

function isMathCall({ expression }: ts.CallExpression): boolean {
  return (
    ts.isPropertyAccessExpression(expression) &&
    ts.isIdentifier(expression.expression) &&
    expression.expression.text === "Math"
  );
}
