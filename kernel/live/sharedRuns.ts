import type { Run } from "../models/index.js";

/** The runs that figures may ask about, by name. */
export interface SharedRuns {
  /** Names a run; the same name each time. */
  readonly share: (run: Run) => string;
  /** Undefined once the run is gone. */
  readonly find: (name: string) => Run | undefined;
}

export interface SharedRunsOptions {
  /** Makes a name that no other kernel will make. */
  readonly createName: () => string;
  /** Runs are kept alive up to this many bytes, the latest first; beyond, only as long as a variable holds them: 512 MiB. */
  readonly budgetBytes?: number;
}

/** Holds runs by name: the latest ones within a budget, the others weakly. */
export function createSharedRuns({ createName, budgetBytes = 512 << 20 }: SharedRunsOptions): SharedRuns {
  const names = new WeakMap<Run, string>();
  const weak = new Map<string, WeakRef<Run>>();
  /** Latest last. */
  const kept = new Set<Run>();

  const keep = (run: Run): void => {
    kept.delete(run);
    kept.add(run);
    let bytes = [...kept].reduce((sum, each) => sum + each.sizeBytes, 0);
    for (const oldest of kept) {
      if (bytes <= budgetBytes) return;
      bytes -= oldest.sizeBytes;
      kept.delete(oldest);
    }
  };

  return {
    share(run) {
      const name = names.get(run) ?? createName();
      names.set(run, name);
      for (const [other, held] of weak) if (!held.deref()) weak.delete(other);
      weak.set(name, new WeakRef(run));
      keep(run);
      return name;
    },
    find(name) {
      const run = weak.get(name)?.deref();
      if (run) keep(run);
      return run;
    },
  };
}
