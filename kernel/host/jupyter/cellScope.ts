import { AsyncLocalStorage } from "node:async_hooks";

/** The request that code runs for: its output belongs there, however late it comes. */
export interface CellScope {
  /** 0 stands for "no request yet". */
  readonly request: number;
  readonly allowStdin: boolean;
  /** Aborts when the cell is interrupted; once it has ended, with the next interrupt. */
  readonly signal: AbortSignal;
  /** Output that is still being made; the cell ends after it. */
  readonly unfinished: Set<Promise<unknown>>;
}

export interface CellScopes {
  current(): CellScope;
  /** Runs `body`, and all that it starts, for a request. */
  run<T>(scope: CellScope, body: () => T): T;
  /** As `run`, for a moment within other work: without asynchronous contexts the latest request stays the latest. */
  borrow<T>(scope: CellScope, body: () => T): T;
}

// Before Node 24 a termination while asynchronous hooks are in use aborts the process.
const contextsSurviveTermination = Number(process.versions.node.split(".")[0]) >= 24;

/** Follows requests through awaits, timers and callbacks; before Node 24 the latest request counts as the current one. */
export function createCellScopes(): CellScopes {
  const storage = contextsSurviveTermination ? new AsyncLocalStorage<CellScope>() : undefined;
  let latest: CellScope = {
    request: 0,
    allowStdin: false,
    signal: new AbortController().signal,
    unfinished: new Set(),
  };
  return {
    current: () => storage?.getStore() ?? latest,
    run(scope, body) {
      latest = scope;
      return storage ? storage.run(scope, body) : body();
    },
    borrow(scope, body) {
      if (storage) return storage.run(scope, body);
      const before = latest;
      latest = scope;
      try {
        return body();
      } finally {
        latest = before;
      }
    },
  };
}
