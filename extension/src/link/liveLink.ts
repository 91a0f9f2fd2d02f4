import { LiveError, type AskOptions, type LiveAnswer, type Progress } from "./liveRun.js";
import type { Kernel } from "./typeLink.js";

type Comm = ReturnType<Kernel["createComm"]>;

/** Asks one kernel about its runs, over a comm that this page opens; `kernel/host/jupyter/liveLink.ts` is its other end. */
export interface LiveLink {
  readonly ask: (run: string, question: Readonly<Record<string, unknown>>, options?: AskOptions) => Promise<LiveAnswer>;
  /** Gives all questions up: the kernel is not there any more. */
  readonly lose: () => void;
}

interface Waiting {
  readonly resolve: (answer: LiveAnswer) => void;
  readonly reject: (error: LiveError) => void;
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

const target = "attention-lab.v1";
const links = new WeakMap<Kernel, LiveLink>();

/** The link to a kernel, which opens with its first question, and again after the kernel was restarted. */
export function liveLinkOf(kernel: Kernel): LiveLink {
  const known = links.get(kernel);
  if (known) return known;
  const made = createLiveLink(kernel);
  links.set(kernel, made);
  return made;
}

function createLiveLink(kernel: Kernel): LiveLink {
  const waiting = new Map<number, Waiting>();
  let comm: Comm | undefined;
  let last = 0;

  const failAll = (kind: "gone" | "lost", reason: string): void => {
    const all = [...waiting.values()];
    waiting.clear();
    for (const { reject } of all) reject(new LiveError(kind, reason));
  };

  const hear = (data: unknown, buffers: readonly unknown[]): void => {
    const { seq, state, reason, done, total, ...rest } = (data ?? {}) as Readonly<Record<string, unknown>>;
    const question = typeof seq === "number" ? waiting.get(seq) : undefined;
    if (!question) return;
    if (state === "heard") return question.onProgress?.({ state });
    if (state === "at work") return question.onProgress?.({ state, done: Number(done), total: Number(total) });
    waiting.delete(seq as number);
    if (state === "done") return question.resolve({ data: rest, buffers: buffers.map(asView) });
    const kind = state === "gone" || state === "cancelled" ? state : "failed";
    question.reject(new LiveError(kind, typeof reason === "string" ? reason : kind));
  };

  const opened = (): Comm => {
    if (comm && !comm.isDisposed) return comm;
    failAll("lost", "the kernel was restarted");
    const made = kernel.createComm(target);
    made.onMsg = ({ content: { data }, buffers = [] }) => hear(data, buffers);
    // A kernel that has shown no run yet does not know the target, and closes the comm.
    made.onClose = () => {
      comm = undefined;
      failAll("gone", "the kernel holds no such run");
    };
    made.open();
    comm = made;
    return made;
  };

  return {
    ask(run, question, { signal, onProgress } = {}) {
      return new Promise((resolve, reject) => {
        if (!kernel.handleComms || kernel.isDisposed) return reject(new LiveError("lost", "no kernel"));
        if (signal?.aborted) return reject(new LiveError("cancelled", "cancelled"));
        const used = opened();
        const seq = ++last;
        waiting.set(seq, { resolve, reject, onProgress });
        onProgress?.({ state: "sent" });
        used.send({ ...question, seq, run });
        signal?.addEventListener(
          "abort",
          () => {
            if (!waiting.delete(seq)) return;
            if (!used.isDisposed) used.send({ cancel: seq });
            reject(new LiveError("cancelled", "cancelled"));
          },
          { once: true },
        );
      });
    },
    lose: () => failAll("lost", "the kernel is gone"),
  };
}

function asView(buffer: unknown): DataView {
  if (buffer instanceof ArrayBuffer) return new DataView(buffer);
  const { buffer: whole, byteOffset, byteLength } = buffer as ArrayBufferView;
  return new DataView(whole, byteOffset, byteLength);
}
