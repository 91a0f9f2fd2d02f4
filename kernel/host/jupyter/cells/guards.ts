import ts from "typescript";
import { cellGlobals } from "./names.js";
import { isPlainCount } from "./plainCount.js";

const counter = "__turn";
const start = "__start";
/** A guarded loop looks at the interrupt counter once in this many turns; a power of two. */
const turnsPerCheck = 256;

/**
 * Gives every loop below `node` a guard, and sends `import()` and `import.meta` to the cell's own.
 *
 *   { let __turn = 0, __start = interrupts[0];
 *     for (…) { if ((__turn = __turn + 1 & 255) === 0 && interrupts[0] !== __start) stop(); … } }
 *
 * The counter of interrupts only ever rises, so a loop ends when an interrupt came after its beginning:
 * loops in a `finally` block run, and a forgotten asynchronous loop ends however late it looks.
 * A loop that awaits or catches looks at every turn: its turns are slow, and a caught interrupt must not be forgotten.
 * An inner loop that only counts has no guard (`plainCount.ts`); the one around it looks at every turn.
 */
export function guardNode<N extends ts.Node>(node: N, context: ts.TransformationContext): N {
  const { factory } = context;
  // How many loops of the same function are around.
  let depth = 0;
  const within = (inner: number, work: () => ts.Node): ts.Node => {
    const outer = depth;
    depth = inner;
    const done = work();
    depth = outer;
    return done;
  };

  const visit = (visited: ts.Node): ts.Node => {
    if (ts.isFunctionLike(visited)) return within(0, () => ts.visitEachChild(visited, visit, context));
    if (ts.isLabeledStatement(visited) || ts.isIterationStatement(visited, false)) {
      const loop = innermost(visited);
      const isLeft = depth > 0 && loop !== undefined && isPlainCount(loop);
      if (loop !== undefined && !isLeft) return within(depth + 1, () => guardedBlock(visited, loop));
    }
    if (ts.isCallExpression(visited) && visited.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const call = ts.visitEachChild(visited, visit, context);
      return factory.updateCallExpression(
        call,
        factory.createIdentifier(cellGlobals.import),
        undefined,
        importArguments(call),
      );
    }
    if (ts.isMetaProperty(visited) && visited.keywordToken === ts.SyntaxKind.ImportKeyword) {
      return ts.setTextRange(factory.createIdentifier(cellGlobals.meta), visited);
    }
    return ts.visitEachChild(visited, visit, context);
  };

  /** `import(specifier, { with: attributes })` hands over the attributes alone. */
  const importArguments = ({ arguments: [specifier, options] }: ts.CallExpression): ts.Expression[] => {
    if (specifier === undefined) return [];
    if (options === undefined) return [specifier];
    return [
      specifier,
      factory.createPropertyAccessChain(options, factory.createToken(ts.SyntaxKind.QuestionDotToken), "with"),
    ];
  };

  const interrupts = (): ts.Expression =>
    factory.createElementAccessExpression(factory.createIdentifier(cellGlobals.interrupts), 0);

  const check = (loop: ts.Node, everyTurn: boolean): ts.Statement => {
    const isInterrupted = factory.createStrictInequality(interrupts(), factory.createIdentifier(start));
    const isTime = factory.createStrictEquality(
      factory.createParenthesizedExpression(
        factory.createAssignment(
          factory.createIdentifier(counter),
          factory.createBitwiseAnd(
            factory.createAdd(factory.createIdentifier(counter), factory.createNumericLiteral(1)),
            factory.createNumericLiteral(turnsPerCheck - 1),
          ),
        ),
      ),
      factory.createNumericLiteral(0),
    );
    const stop = factory.createCallExpression(factory.createIdentifier(cellGlobals.stop), undefined, []);
    // An interrupt shows the loop as its place.
    ts.setSourceMapRange(stop, loop);
    return factory.createIfStatement(
      everyTurn ? isInterrupted : factory.createLogicalAnd(isTime, isInterrupted),
      factory.createExpressionStatement(stop),
    );
  };

  const guardedBlock = (statement: ts.Node, loop: ts.IterationStatement): ts.Node => {
    const everyTurn = mayMissInterrupts(loop, loop);
    const declare = (name: string, value: ts.Expression): ts.VariableDeclaration =>
      factory.createVariableDeclaration(name, undefined, undefined, value);
    const counters = [declare(counter, factory.createNumericLiteral(0)), declare(start, interrupts())];
    const head = factory.createVariableStatement(
      undefined,
      factory.createVariableDeclarationList(everyTurn ? counters.slice(1) : counters, ts.NodeFlags.Let),
    );
    const withGuard = (inner: ts.Node): ts.Node => {
      if (ts.isLabeledStatement(inner)) {
        return factory.updateLabeledStatement(inner, inner.label, withGuard(inner.statement) as ts.Statement);
      }
      const { statement: written } = inner as ts.IterationStatement;
      const visited = ts.visitEachChild(inner as ts.IterationStatement, visit, context);
      const body = visited.statement;
      // A loop that is the whole body has just become a block, with counters of its own: that block stays whole.
      const statements = ts.isBlock(written) && ts.isBlock(body) ? body.statements : [body];
      return withBody(visited, factory.createBlock([check(loop, everyTurn), ...statements], true), factory);
    };
    return factory.createBlock([head, withGuard(statement) as ts.Statement], true);
  };

  return visit(node) as N;
}

/** The loop that a statement is, behind its labels. */
function innermost(statement: ts.Node): ts.IterationStatement | undefined {
  if (ts.isLabeledStatement(statement)) return innermost(statement.statement);
  return ts.isIterationStatement(statement, false) ? statement : undefined;
}

function withBody(loop: ts.IterationStatement, body: ts.Statement, factory: ts.NodeFactory): ts.IterationStatement {
  if (ts.isForStatement(loop)) {
    return factory.updateForStatement(loop, loop.initializer, loop.condition, loop.incrementor, body);
  }
  if (ts.isForOfStatement(loop)) {
    return factory.updateForOfStatement(loop, loop.awaitModifier, loop.initializer, loop.expression, body);
  }
  if (ts.isForInStatement(loop)) return factory.updateForInStatement(loop, loop.initializer, loop.expression, body);
  if (ts.isWhileStatement(loop)) return factory.updateWhileStatement(loop, loop.expression, body);
  return factory.updateDoStatement(loop as ts.DoStatement, body, (loop as ts.DoStatement).expression);
}

/** Whether a loop itself awaits, catches, or looks for an inner one that has no guard; functions inside it left aside. */
function mayMissInterrupts(node: ts.Node, loop: ts.Node): boolean {
  if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) return true;
  if (ts.isTryStatement(node) || (node !== loop && isPlainCount(node))) return true;
  return ts.forEachChild(node, (child) => !ts.isFunctionLike(child) && mayMissInterrupts(child, loop)) ?? false;
}
