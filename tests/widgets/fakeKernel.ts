import { kernelSymbol, type Comm, type CommMessage, type Kernel } from "../../kernel/host/jupyter/api.js";

export type Data = Readonly<Record<string, unknown>>;

/** A comm as the front end sees it. */
export interface Seen {
  readonly target: string;
  readonly id: string;
  readonly metadata: Data;
  readonly opened: Data;
  readonly sent: Data[];
  isClosed: boolean;
  /** What the front end sends. */
  say(data: unknown): unknown;
}

/** A kernel that records comms; it becomes the one that widgets find. */
export function installFakeKernel(): {
  readonly comms: Seen[];
  readonly openControl: () => Seen;
} {
  const comms: Seen[] = [];
  const targets = new Map<string, (comm: Comm, message: CommMessage) => unknown>();
  const message = (data: unknown): CommMessage => ({ data, metadata: {}, buffers: [] });
  const create = (target: string, opened: Data, metadata: Data): { comm: Comm; seen: Seen } => {
    let handle: (message: CommMessage) => unknown = () => undefined;
    const seen: Seen = {
      target,
      id: `comm-${comms.length}`,
      metadata,
      opened,
      sent: [],
      isClosed: false,
      say: (data) => handle(message(data)),
    };
    comms.push(seen);
    const comm: Comm = {
      id: seen.id,
      target,
      send: (data) => void seen.sent.push(JSON.parse(JSON.stringify(data)) as Data),
      close: () => void (seen.isClosed = true),
      onMessage: (handler) => void (handle = handler),
      onClose: () => undefined,
    };
    return { comm, seen };
  };
  const refuse = (): never => {
    throw new Error("not part of this fake");
  };
  const kernel: Kernel = {
    display: refuse,
    updateDisplay: refuse,
    clearOutput: refuse,
    input: refuse,
    interruptSignal: () => new AbortController().signal,
    openComm: (target, data, options) =>
      create(target, JSON.parse(JSON.stringify(data)) as Data, options?.metadata ?? {}).comm,
    registerCommTarget: (target, opened) => void targets.set(target, opened),
  };
  Object.defineProperty(globalThis, kernelSymbol, { value: kernel, configurable: true });
  return {
    comms,
    openControl() {
      const { comm, seen } = create("jupyter.widget.control", {}, { version: "1.0.0" });
      targets.get("jupyter.widget.control")?.(comm, message({}));
      return seen;
    },
  };
}
