/**
 * Lets a process that ends wait for the engine thread: ending during a run would abort the process.
 * Both threads hold one; they share its memory.
 */
export class EngineGate {
  readonly memory: SharedArrayBuffer;
  readonly #flags: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.memory = memory;
    this.#flags = new Int32Array(memory);
  }

  /** The engine's side: false once the process ends, when nothing may be started any more. */
  enter(): boolean {
    Atomics.store(this.#flags, 0, 1);
    if (Atomics.load(this.#flags, 1) === 0) return true;
    this.leave();
    return false;
  }

  /** The engine's side: the work is done. */
  leave(): void {
    Atomics.store(this.#flags, 0, 0);
    Atomics.notify(this.#flags, 0);
  }

  /** The ending side: blocks until the work in progress is done, at most `timeoutMs`. */
  close(timeoutMs: number): void {
    Atomics.store(this.#flags, 1, 1);
    Atomics.wait(this.#flags, 0, 1, timeoutMs);
  }
}
