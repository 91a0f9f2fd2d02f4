import { randomUUID } from "node:crypto";
import type { CellScope, CellScopes } from "./cellScope.js";
import type { CommOrder, CommType, JsonObject } from "./channel.js";
import type { Link } from "./link.js";

/** Binary parts of a comm message. */
export type CommBuffers = readonly (ArrayBuffer | ArrayBufferView)[];

/** What comes with a comm message. */
export interface CommMessage {
  readonly data: unknown;
  readonly metadata: JsonObject;
  readonly buffers: readonly ArrayBuffer[];
}

export interface CommSendOptions {
  readonly metadata?: JsonObject;
  /** Copied, unless `transfer` holds. */
  readonly buffers?: CommBuffers;
  /** Hands `ArrayBuffer`s over instead of copying them: they are empty afterwards. */
  readonly transfer?: boolean;
}

export interface CommHandlerOptions {
  /** Messages with the same key, while one is being handled, replace each other: the latest wins. */
  readonly coalesce?: (message: CommMessage) => string | undefined;
}

type Handler<T> = (argument: T) => unknown;

/** One connection with the front end. */
export interface Comm {
  readonly id: string;
  readonly target: string;
  send(data: unknown, options?: CommSendOptions): void;
  close(data?: unknown): void;
  onMessage(handler: Handler<CommMessage>, options?: CommHandlerOptions): void;
  onClose(handler: Handler<CommMessage>): void;
}

export interface Comms {
  open(target: string, data?: unknown, options?: CommSendOptions): Comm;
  /** Called for every comm that the front end opens on `target`; a later registration replaces an earlier one. */
  register(target: string, opened: (comm: Comm, message: CommMessage) => unknown): void;
  receive(order: CommOrder): void;
  /** Gives up the handlers that are at work; what waits behind them goes on. */
  interrupt(): void;
}

interface OpenComm {
  readonly comm: Comm;
  readonly scope: CellScope;
  message?: { readonly handler: Handler<CommMessage>; readonly options: CommHandlerOptions };
  closed?: Handler<CommMessage>;
}

interface Waiting {
  readonly key: string | undefined;
  readonly scope: CellScope;
  run: () => Promise<void>;
}

/** The work on one target: one piece at a time. */
interface Queue {
  readonly waiting: Waiting[];
  atWork?: Waiting;
}

/**
 * Comms on the main thread. Handlers run as messages come, between the awaits of a busy cell, one after another
 * per target; their output belongs to the cell that registered them, since front ends drop that of comm messages.
 */
export function createComms(link: Link, scopes: CellScopes, failed: (error: unknown) => void): Comms {
  const targets = new Map<
    string,
    { readonly opened: (comm: Comm, message: CommMessage) => unknown; readonly scope: CellScope }
  >();
  const open = new Map<string, OpenComm>();
  const queues = new Map<string, Queue>();

  const send = (scope: CellScope, type: CommType, content: JsonObject, options: CommSendOptions = {}): void => {
    const buffers = (options.buffers ?? []).map((buffer) => asArrayBuffer(buffer, options.transfer === true));
    link.post(
      {
        kind: "publish",
        request: scope.request,
        type,
        content: JSON.stringify(content),
        metadata: JSON.stringify(options.metadata ?? {}),
        buffers,
      },
      buffers,
    );
  };

  const create = (id: string, target: string, scope: CellScope): OpenComm => {
    const entry: OpenComm = {
      scope,
      comm: {
        id,
        target,
        send(data, options) {
          if (!open.has(id)) throw new Error(`comm: "${target}" ${id} is closed; open a new one to send`);
          send(scope, "comm_msg", { comm_id: id, data: data ?? {} }, options);
        },
        close(data) {
          if (open.delete(id)) send(scope, "comm_close", { comm_id: id, data: data ?? {} });
        },
        onMessage: (handler, options = {}) => void (entry.message = { handler, options }),
        onClose: (handler) => void (entry.closed = handler),
      },
    };
    open.set(id, entry);
    return entry;
  };

  /** Adds work to a target's queue; a waiting piece with the same key gives way to the newer one. */
  const enqueue = (target: string, scope: CellScope, key: string | undefined, run: () => unknown): void => {
    const inScope = (): Promise<void> => scopes.borrow(scope, () => attempt(run));
    const queue = queues.get(target);
    if (!queue) return void work(target, [{ key, scope, run: inScope }]);
    const same = key === undefined ? undefined : queue.waiting.find((waiting) => waiting.key === key);
    if (same) same.run = inScope;
    else queue.waiting.push({ key, scope, run: inScope });
  };

  const work = async (target: string, waiting: Waiting[]): Promise<void> => {
    const queue: Queue = { waiting };
    queues.set(target, queue);
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      queue.atWork = next;
      await next.run();
    }
    if (queues.get(target) === queue) queues.delete(target);
  };

  const attempt = async (run: () => unknown): Promise<void> => {
    try {
      await run();
    } catch (error) {
      failed(error);
    }
  };

  return {
    open(target, data, options) {
      const scope = scopes.current();
      const { comm } = create(randomUUID(), target, scope);
      send(scope, "comm_open", { comm_id: comm.id, target_name: target, data: data ?? {} }, options);
      return comm;
    },
    interrupt() {
      for (const [target, { waiting, atWork }] of [...queues]) {
        const given = new Error(`comm: a handler of "${target}" was interrupted; messages behind it are handled now`);
        if (atWork) scopes.borrow(atWork.scope, () => failed(given));
        void work(target, waiting.splice(0));
      }
    },
    register: (target, opened) => void targets.set(target, { opened, scope: scopes.current() }),
    receive({ type, content, metadata, buffers }) {
      const id = String(content["comm_id"]);
      const message: CommMessage = { data: content["data"], metadata, buffers };
      if (type === "comm_open") {
        const name = String(content["target_name"]);
        const target = targets.get(name);
        if (!target) return send(scopes.current(), "comm_close", { comm_id: id, data: {} });
        const { comm } = create(id, name, target.scope);
        return enqueue(name, target.scope, undefined, () => target.opened(comm, message));
      }
      const entry = open.get(id);
      if (!entry) return;
      const { comm, scope } = entry;
      if (type === "comm_close") {
        open.delete(id);
        return enqueue(comm.target, scope, undefined, () => entry.closed?.(message));
      }
      const coalesced = entry.message?.options.coalesce?.(message);
      const key = coalesced === undefined ? undefined : `${id} ${coalesced}`;
      enqueue(comm.target, scope, key, () => entry.message?.handler(message));
    },
  };
}

/** A buffer of its own, which the channel may take; views give their part only. */
function asArrayBuffer(buffer: ArrayBuffer | ArrayBufferView, transfer: boolean): ArrayBuffer {
  if (buffer instanceof ArrayBuffer) return transfer ? buffer : buffer.slice(0);
  const { buffer: whole, byteOffset, byteLength } = buffer;
  if (transfer && whole instanceof ArrayBuffer && byteLength === whole.byteLength) return whole;
  return new Uint8Array(new Uint8Array(whole, byteOffset, byteLength)).buffer;
}
