import type { JsonObject } from "./wire.js";

/** Kinds of comm traffic. */
export type CommType = "comm_open" | "comm_msg" | "comm_close";

/** What the protocol worker is started with. */
export interface WorkerStart {
  readonly connectionFile: string;
  readonly shared: SharedArrayBuffer;
}

/** One execution, as the main thread sees it; `request` stands for the parent header, which stays with the worker. */
export interface ExecuteOrder {
  readonly kind: "execute";
  readonly request: number;
  readonly code: string;
  readonly name: string;
  readonly count: number;
  readonly silent: boolean;
  readonly allowStdin: boolean;
  readonly expressions: Readonly<Record<string, string>>;
}

/** A comm message on its way to the main thread. */
export interface CommOrder {
  readonly kind: "comm";
  readonly type: CommType;
  readonly content: JsonObject;
  readonly metadata: JsonObject;
  readonly buffers: readonly ArrayBuffer[];
}

/** Protocol worker → main thread. */
export type ToMain =
  | ExecuteOrder
  | CommOrder
  | { readonly kind: "interrupt" }
  | { readonly kind: "answer"; readonly token: number; readonly value: unknown }
  | { readonly kind: "shutdown" };

/** What the main thread asks the worker and waits for. */
export type Question =
  | { readonly about: "input"; readonly request: number; readonly prompt: string; readonly password: boolean }
  | { readonly about: "types"; readonly code: string };

/** Main thread → protocol worker. */
export type ToWorker =
  /** The main thread has loaded what it needs and may be interrupted. */
  | { readonly kind: "ready" }
  | { readonly kind: "stream"; readonly request: number; readonly name: "stdout" | "stderr"; readonly text: string }
  | {
      readonly kind: "publish";
      readonly request: number;
      readonly type: string;
      /** JSON text. */
      readonly content: string;
      /** JSON text. */
      readonly metadata?: string;
      readonly buffers?: readonly ArrayBuffer[];
    }
  | { readonly kind: "done"; readonly request: number; readonly content: ReplyContent }
  | { readonly kind: "interrupted" }
  | { readonly kind: "ask"; readonly token: number; readonly question: Question }
  | { readonly kind: "exit"; readonly code: number };

/** An error as messages carry it. */
export interface ErrorContent {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/** What the main thread knows of an `execute_reply`. */
export type ReplyContent =
  | {
      readonly status: "ok";
      readonly expressions: JsonObject;
      /** The text of the cell's value, for the history. */
      readonly text?: string;
    }
  | ({ readonly status: "error" } & ErrorContent);

/** Places in the shared Int32Array. */
export const shared = {
  /** Counts interrupts; loop guards watch it. */
  interrupts: 0,
  /** Output that the main thread has handed over and the sockets have not taken yet, bytes. */
  pendingBytes: 1,
  /** 1 once the worker has closed its sockets. */
  closed: 2,
  length: 3,
} as const;

/** What a message counts for in `pendingBytes`. */
export function weightOf(message: ToWorker): number {
  if (message.kind === "stream") return 2 * message.text.length + 256;
  if (message.kind !== "publish") return 0;
  const buffers = message.buffers?.reduce((sum, buffer) => sum + buffer.byteLength, 0) ?? 0;
  return 2 * message.content.length + buffers + 512;
}

export type { JsonObject } from "./wire.js";
