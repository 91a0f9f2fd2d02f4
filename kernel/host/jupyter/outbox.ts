/** Something that sends one message at a time. */
export interface Sender {
  send(frames: (Uint8Array | string)[]): Promise<void>;
}

/** A socket's outgoing messages, sent in order. */
export interface Outbox {
  /** `sent` is called once the socket has taken the message, or has refused it. */
  push(frames: (Uint8Array | string)[], sent?: () => void): void;
  /** Resolves when everything pushed so far is with the socket. */
  drained(): Promise<void>;
}

/**
 * An outgoing queue that awaits every send: beyond 512 sends without a return to the event loop,
 * zeromq's `send` throws "Socket is busy writing" and the message is gone.
 */
export function createOutbox(socket: Sender, failed: (error: unknown) => void): Outbox {
  let queue: { readonly frames: (Uint8Array | string)[]; readonly sent: (() => void) | undefined }[] = [];
  let draining: Promise<void> | undefined;

  const drain = async (): Promise<void> => {
    while (queue.length > 0) {
      const batch = queue;
      queue = [];
      for (const { frames, sent } of batch) {
        try {
          await socket.send(frames);
        } catch (error) {
          failed(error);
        }
        sent?.();
      }
    }
    draining = undefined;
  };

  return {
    push(frames, sent) {
      queue.push({ frames, sent });
      draining ??= drain();
    },
    drained: () => draining ?? Promise.resolve(),
  };
}
