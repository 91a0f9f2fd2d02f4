import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { EngineError } from "../tensor/index.js";
import type { EngineReply, EngineTask } from "./engineMessages.js";
import type { EnginePort, Success } from "./engineThread.js";

interface Waiting {
  readonly resolve: (reply: Success) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A process that owns sessions, started at first use: several run beside one another, and one that is ended from outside,
 * for want of memory, takes nothing else along. What it was doing fails with the reason, and the next task starts another.
 */
export class EngineProcess implements EnginePort {
  readonly #threads: number;
  #running: { readonly child: ChildProcess; readonly waiting: Map<number, Waiting> } | undefined;
  #nextId = 0;

  /** `threads`: how many its sessions take. */
  constructor(threads: number) {
    this.#threads = threads;
  }

  readonly ask = async (task: EngineTask): Promise<Success> => {
    const { child, waiting } = this.#start();
    const id = this.#nextId++;
    return new Promise<Success>((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      child.ref();
      child.channel?.ref();
      child.send({ ...task, id }, (error) => {
        if (error && waiting.delete(id)) reject(new EngineError(`engine: its process could not be asked: ${error.message}`)); // prettier-ignore
      });
    });
  };

  /** Lets the process end after what it is doing. */
  close(): void {
    const child = this.#running?.child;
    this.#running = undefined;
    if (child?.connected) child.disconnect();
  }

  #start(): { readonly child: ChildProcess; readonly waiting: Map<number, Waiting> } {
    if (this.#running) return this.#running;
    const script = fileURLToPath(new URL("./engineChild.js", import.meta.url));
    // Structured clones carry typed arrays as they are.
    const child = fork(script, [String(this.#threads)], { serialization: "advanced", execArgv: [] });
    const waiting = new Map<number, Waiting>();
    child.on("message", (reply: EngineReply) => {
      const asked = waiting.get(reply.id);
      waiting.delete(reply.id);
      if (waiting.size === 0) {
        child.unref();
        child.channel?.unref();
      }
      if (reply.ok) asked?.resolve(reply);
      else asked?.reject(new EngineError(reply.message));
    });
    const fail = (why: string): void => {
      if (this.#running?.child === child) this.#running = undefined;
      const lost = [...waiting.values()];
      waiting.clear();
      for (const { reject } of lost) reject(new EngineError(`engine: its process ${why}`));
    };
    child.on("error", ({ message }) => fail(`could not be started: ${message}`));
    child.on(
      "exit",
      (code, signal) =>
      fail(signal ? `was ended by ${signal}${signal === "SIGKILL" ? ": there may have been too little memory" : ""}` : `ended with code ${code}`), // prettier-ignore
    );
    this.#running = { child, waiting };
    return this.#running;
  }
}
