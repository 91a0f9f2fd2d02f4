import { Session, type Runtime } from "node:inspector";
import { InterruptError } from "./cells/runtime.js";

/** How an evaluation ended; `at` is the engine's place of an early error, zero-based. */
export type Evaluation =
  | { readonly ok: true; readonly value: unknown }
  | {
      readonly ok: false;
      readonly error: unknown;
      readonly at?: { readonly url: string; readonly line: number; readonly column: number };
    };

/** Runs code as a developer console does: one scope for all cells, names may be declared again, `await` at the top. */
export interface Evaluator {
  /**
   * Runs transformed code on this thread; nothing of it stays pinned by the inspector afterwards.
   * `url` is its `sourceURL`: what the engine refuses before it runs is placed there.
   */
  evaluate(code: string, url: string): Promise<Evaluation>;
}

/**
 * An evaluator on V8's inspector, `Runtime.evaluate` with `replMode`. Values cross as they are, not as copies.
 * `Runtime.enable` is never called: it would keep every logged value alive.
 */
export function createEvaluator(): Evaluator {
  const session = new Session();
  session.connect();
  const holder: { value?: unknown } = {};
  const holderId = idOf(session, holder);
  let evaluations = 0;

  /** The value behind a remote object. */
  const take = (remote: Runtime.RemoteObject): unknown => {
    let failure: Error | null = null;
    session.post(
      "Runtime.callFunctionOn",
      {
        objectId: holderId,
        functionDeclaration: "function (value) { this.value = value; }",
        arguments: [argumentOf(remote)],
        returnByValue: true,
      },
      (error) => {
        failure = error;
      },
    );
    if (failure) throw failure as Error;
    const { value } = holder;
    holder.value = undefined;
    return value;
  };

  return {
    evaluate: (expression, ownUrl) =>
      new Promise((resolve) => {
        const objectGroup = `cell-${++evaluations}`;
        const finish = (error: Error | null, result: Runtime.EvaluateReturnType | undefined): Evaluation => {
          if (error || !result) return { ok: false, error: new InterruptError() };
          const { exceptionDetails: details } = result;
          if (!details) return { ok: true, value: take(result.result) };
          // Early errors name a script by its number alone: the one that was to run.
          const { scriptId, url = ownUrl, lineNumber: line, columnNumber: column } = details;
          const thrown = details.exception ? take(details.exception) : new Error(details.text);
          return { ok: false, error: thrown, ...(scriptId === undefined ? {} : { at: { url, line, column } }) };
        };
        const parameters = { expression, replMode: true, awaitPromise: true, objectGroup };
        session.post("Runtime.evaluate", parameters, (error, result) => {
          const evaluation = finish(error, result as Runtime.EvaluateReturnType | undefined);
          session.post("Runtime.releaseObjectGroup", { objectGroup });
          resolve(evaluation);
        });
      }),
  };
}

/** The inspector's name for an object of this thread. */
function idOf(session: Session, object: object): string {
  const key = Symbol.for("attention-lab.evaluator");
  Object.defineProperty(globalThis, key, { value: object, configurable: true });
  let id: string | undefined;
  session.post(
    "Runtime.evaluate",
    { expression: `globalThis[Symbol.for("${String(key.description)}")]` },
    (_, result) => {
      id = result?.result.objectId;
    },
  );
  Reflect.deleteProperty(globalThis, key);
  if (id === undefined) throw new Error("evaluator: the inspector does not answer; is it disabled in this Node?");
  return id;
}

function argumentOf({ objectId, unserializableValue, value }: Runtime.RemoteObject): Runtime.CallArgument {
  if (objectId !== undefined) return { objectId };
  return unserializableValue === undefined ? { value: value as unknown } : { unserializableValue };
}
