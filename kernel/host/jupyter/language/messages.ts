/** What the client sends to its worker. */
export type ToWorker =
  /** The cells that have run: the first `kept` of the last list, then these. */
  | { readonly kind: "cells"; readonly kept: number; readonly added: readonly string[] }
  | { readonly kind: "question"; readonly id: number; readonly question: Question };

/** Cursors count code points. */
export type Question =
  | { readonly about: "completion"; readonly code: string; readonly cursor: number }
  | { readonly about: "inspection"; readonly code: string; readonly cursor: number; readonly detail: 0 | 1 }
  | { readonly about: "diagnostics"; readonly code: string };

export type FromWorker =
  { readonly id: number; readonly answer: unknown } | { readonly id: number; readonly error: string };
