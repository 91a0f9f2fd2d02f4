import { Reply, Router, XPublisher } from "zeromq";
import { addressOf, type Connection } from "./connection.js";
import { createOutbox, type Outbox } from "./outbox.js";

/** The channels on which clients send requests. */
export type RequestChannel = "shell" | "control" | "stdin";
export type Frames = (Uint8Array | string)[];

/** What happens on the sockets. */
export interface SocketEvents {
  /** A request with all its frames. */
  readonly request: (channel: RequestChannel, frames: readonly Uint8Array[]) => void;
  /** A client has subscribed to the topics that begin with `topic`. */
  readonly subscribed: (topic: Uint8Array) => void;
}

/** The kernel's five sockets. */
export interface Sockets {
  readonly outbox: Readonly<Record<RequestChannel | "iopub", Outbox>>;
  /** Begins to hand over what comes in, from what clients sent since the sockets were bound. Called once. */
  listen(events: SocketEvents): void;
  /** Sends what is queued, at most `waitMs` long, then closes every socket. */
  close(waitMs: number): Promise<void>;
}

// A client that stops reading costs at most this many messages; output is batched, so nobody who reads comes near it.
const iopubHighWaterMark = 100_000;
const unlimited = 0;

/**
 * Binds the sockets of a connection and answers heartbeats. What fails later is told to `failed`.
 *
 * Throws   Error when an address cannot be bound
 */
export async function openSockets(connection: Connection, failed: (error: unknown) => void): Promise<Sockets> {
  const router = (): Router => new Router({ sendHighWaterMark: unlimited, receiveHighWaterMark: unlimited, linger: 0 });
  const sockets = {
    shell: router(),
    control: router(),
    stdin: router(),
    iopub: new XPublisher({ sendHighWaterMark: iopubHighWaterMark, linger: 0 }),
    heartbeat: new Reply({ linger: 0 }),
  };
  sockets.iopub.verbosity = "allSubs";
  const names = ["shell", "control", "stdin", "iopub", "heartbeat"] as const;
  await Promise.all(names.map((name) => sockets[name].bind(addressOf(connection, connection[name]))));

  const listen = async (
    socket: Router | XPublisher | Reply,
    handle: (frames: Uint8Array[]) => Promise<void> | void,
  ) => {
    while (!socket.closed) {
      try {
        await handle(await socket.receive());
      } catch (error) {
        if (!socket.closed) failed(error);
      }
    }
  };
  void listen(sockets.heartbeat, (frames) => sockets.heartbeat.send(frames));

  const outbox = {
    shell: createOutbox(sockets.shell, failed),
    control: createOutbox(sockets.control, failed),
    stdin: createOutbox(sockets.stdin, failed),
    iopub: createOutbox(sockets.iopub, failed),
  };
  return {
    outbox,
    listen(events) {
      void listen(sockets.iopub, ([frame]) => {
        if (frame?.[0] === 1) events.subscribed(frame.subarray(1));
      });
      for (const channel of ["shell", "control", "stdin"] as const) {
        void listen(sockets[channel], (frames) => events.request(channel, frames));
      }
    },
    async close(waitMs) {
      const drained = Promise.all(Object.values(outbox).map((box) => box.drained()));
      await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, waitMs))]);
      for (const name of names) {
        sockets[name].linger = waitMs;
        sockets[name].close();
      }
    },
  };
}
