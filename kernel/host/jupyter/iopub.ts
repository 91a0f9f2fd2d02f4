import type { Outbox } from "./outbox.js";
import type { Header, JsonObject, Wire } from "./wire.js";

export type StreamName = "stdout" | "stderr";

/** Everything that all clients see. */
export interface Iopub {
  /** Sends a message; streams that came before it go first. */
  publish(message: Publication, sent?: () => void): void;
  /** Queues text; it leaves within `flushMs`, with its neighbours. */
  stream(parent: Header | undefined, name: StreamName, text: string, sent: () => void): void;
  status(parent: Header | undefined, state: "starting" | "busy" | "idle"): void;
  welcome(topic: Uint8Array): void;
}

export interface Publication {
  readonly parent: Header | undefined;
  readonly type: string;
  readonly content: JsonObject | string;
  readonly metadata?: JsonObject | string;
  readonly buffers?: readonly Uint8Array[];
}

interface Segment {
  readonly parent: Header | undefined;
  readonly name: StreamName;
  text: string;
  readonly sent: (() => void)[];
}

/** Streams wait this long for more text: at most 50 messages a second, where jupyter_server allows 1000. */
const flushMs = 20;
/** Text beyond this leaves at once, characters. */
const flushCharacters = 1 << 20;
/** So many changes between stdout and stderr keep their exact order within one flush: 800 messages a second at most. */
const orderedSegments = 16;

/** The publisher of status, output and comm traffic on one outgoing queue. */
export function createIopub(wire: Wire, outbox: Outbox): Iopub {
  let segments: Segment[] = [];
  let characters = 0;
  let timer: NodeJS.Timeout | undefined;

  const send = ({ type, ...message }: Publication, sent?: () => void): void => {
    const topic = `kernel.${wire.session}.${type}`;
    outbox.push(wire.encode({ identities: [topic], type, ...message }), sent);
  };

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const batch = segments;
    segments = [];
    characters = 0;
    for (const { parent, name, text, sent } of batch) {
      send({ parent, type: "stream", content: { name, text } }, () => sent.forEach((done) => done()));
    }
  };

  const publish = (message: Publication, sent?: () => void): void => {
    flush();
    send(message, sent);
  };

  return {
    publish,
    stream(parent, name, text, sent) {
      const last = segments.at(-1);
      const open =
        last?.parent === parent && last?.name === name
          ? last
          : segments.length < orderedSegments
            ? undefined
            : segments.findLast((segment) => segment.parent === parent && segment.name === name);
      if (open) {
        open.text += text;
        open.sent.push(sent);
      } else segments.push({ parent, name, text, sent: [sent] });
      characters += text.length;
      if (characters >= flushCharacters) flush();
      else timer ??= setTimeout(flush, flushMs);
    },
    status: (parent, state) => publish({ parent, type: "status", content: { execution_state: state } }),
    welcome(topic) {
      const content = { subscription: Buffer.from(topic).toString("utf8") };
      outbox.push(wire.encode({ identities: [topic], type: "iopub_welcome", parent: undefined, content }));
    },
  };
}
