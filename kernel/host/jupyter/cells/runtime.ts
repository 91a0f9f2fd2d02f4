import { knownNames } from "../../../tensor/errors.js";
import { cellGlobals } from "./names.js";
import type { Importer } from "./importer.js";

/** What transformed code needs from the process. */
export interface CellRuntime {
  readonly import: Importer["import"];
  /**
   * Element 0 counts interrupts: add 1 for each (`Atomics.add`), never take it back.
   * A loop stops when the number is no longer what it was when the loop began.
   */
  readonly interruptFlag: Int32Array;
  /** What `import.meta` is in a cell; nothing by default. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** Thrown by the guard of a loop after an interrupt; an ordinary exception, so `finally` blocks run. */
export class InterruptError extends Error {
  override readonly name: string = "InterruptError";

  constructor() {
    super("interrupted");
  }
}

/**
 * Installs the globals that transformed cells call on `target` (the global object), hidden and constant:
 * the engine then compiles the guard's array into the loop.
 *
 * Throws   TypeError when `target` has them already
 */
export function installCellRuntime(target: object, runtime: CellRuntime): void {
  const values = {
    [cellGlobals.import]: async (
      specifier: unknown,
      attributes?: Readonly<Record<string, string>>,
      names: readonly string[] = [],
    ): Promise<unknown> => {
      const namespace = await runtime.import(String(specifier), attributes);
      checkNames(namespace, names, String(specifier));
      return namespace;
    },
    [cellGlobals.meta]: Object.freeze({ ...runtime.meta }),
    [cellGlobals.interrupts]: runtime.interruptFlag,
    [cellGlobals.stop]: (): never => {
      throw new InterruptError();
    },
  };
  for (const [name, value] of Object.entries(values)) Object.defineProperty(target, name, { value });
}

function checkNames(namespace: unknown, names: readonly string[], specifier: string): void {
  const known = Object.keys(namespace as object);
  const missing = names.find((name) => !(name in (namespace as object)));
  if (missing === undefined) return;
  throw new SyntaxError(`import: "${specifier}" has no export "${missing}"${knownNames(missing, known)}`);
}
