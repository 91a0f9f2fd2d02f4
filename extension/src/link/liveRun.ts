import type { Store } from "../dom/store.js";

/** Why a figure shows only what was saved with it. */
export type SavedReason = "untrusted" | "no-kernel" | "gone" | "kernel-lost";

/** How a figure stands to the kernel that drew it. */
export type LiveStatus =
  | { readonly state: "connecting" }
  /** The kernel holds the run; `modes` are the ways in which it can take heads out. */
  | { readonly state: "live"; readonly modes: readonly string[] }
  | { readonly state: "saved"; readonly reason: SavedReason };

/** How far the kernel is with a question. */
export type Progress =
  | { readonly state: "sent" }
  | { readonly state: "heard" }
  | { readonly state: "at work"; readonly done: number; readonly total: number };

/** An answer of the kernel: JSON, and perhaps bytes. */
export interface LiveAnswer {
  readonly data: Readonly<Record<string, unknown>>;
  readonly buffers: readonly DataView[];
}

export interface AskOptions {
  /** Gives the question up. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** A run as its figures see it: what can be asked, and whether there is anybody to ask. */
export interface LiveRun {
  readonly status: Pick<Store<{ readonly now: LiveStatus }>, "state" | "listen">;
  /** Rejects with a `LiveError` when the kernel refuses, or is lost, or the question is given up. */
  readonly ask: (question: Readonly<Record<string, unknown>>, options?: AskOptions) => Promise<LiveAnswer>;
}

/** Why a question has no answer. */
export class LiveError extends Error {
  override readonly name = "LiveError";
  constructor(
    readonly kind: "gone" | "lost" | "cancelled" | "failed",
    reason: string,
  ) {
    super(reason);
  }
}
