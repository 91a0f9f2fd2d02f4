import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { EngineTask } from "../../kernel/lib/host/engineMessages.js";
import { EngineThread } from "../../kernel/lib/host/engineThread.js";

type Reply = Awaited<ReturnType<EngineThread["ask"]>>;

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/** The engine thread of another process, which has the given environment. */
export class ChildThread extends EngineThread {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;

  constructor(env: Readonly<Record<string, string>>) {
    super();
    this.#child = fork(fileURLToPath(new URL("./engineChild.mjs", import.meta.url)), {
      env: { ...process.env, ...env },
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", ({ id, reply, message }: { id: number; reply?: Reply; message?: string }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (reply) waiting?.resolve(reply);
      else waiting?.reject(new Error(message));
    });
    this.#child.on("exit", (code, signal) => {
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the engine process ended (${signal ?? `code ${String(code)}`})`));
      this.#waiting.clear();
    });
  }

  override async ask(task: EngineTask): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, task }, (error) => error && reject(error));
    });
  }

  end(): void {
    this.#child.disconnect();
  }
}
