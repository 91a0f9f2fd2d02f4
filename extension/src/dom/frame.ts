/** One animation frame per figure: however often it is asked for, the work runs once. */
export interface Frame {
  readonly request: () => void;
  readonly dispose: () => void;
}

/** A frame that runs `work`. */
export function createFrame(work: () => void): Frame {
  let pending: number | undefined;
  let disposed = false;
  return {
    request(): void {
      if (disposed || pending !== undefined) return;
      pending = requestAnimationFrame(() => {
        pending = undefined;
        work();
      });
    },
    dispose(): void {
      disposed = true;
      if (pending !== undefined) cancelAnimationFrame(pending);
    },
  };
}
