import type { Comm, CommMessage, CommSendOptions } from "./comms.js";
import type { DisplayHandle, DisplayOptions } from "./outputs.js";
import { textOf } from "./mimeBundle.js";

export type { Comm, CommBuffers, CommHandlerOptions, CommMessage, CommSendOptions } from "./comms.js";
export type { DisplayHandle, DisplayOptions } from "./outputs.js";

/** What a running kernel offers to the code in its cells. */
export interface Kernel {
  display(value: unknown, options?: DisplayOptions): Promise<DisplayHandle>;
  /** Changes what a `display` with that id showed, in any cell. */
  updateDisplay(id: string, value: unknown, options?: Pick<DisplayOptions, "raw" | "metadata">): Promise<void>;
  clearOutput(options?: { readonly wait?: boolean }): void;
  input(prompt?: string, options?: { readonly password?: boolean }): Promise<string>;
  /** Aborts when the running cell is interrupted; in a handler or timer of a cell that has ended, with the next interrupt. */
  interruptSignal(): AbortSignal;
  openComm(target: string, data?: unknown, options?: CommSendOptions): Comm;
  registerCommTarget(target: string, opened: (comm: Comm, message: CommMessage) => unknown): void;
}

/** The property of `globalThis` under which a running kernel is found. */
export const kernelSymbol: symbol = Symbol.for("attention-lab.kernel");

/** The kernel this code runs in, undefined in a plain Node process. */
export function kernel(): Kernel | undefined {
  return (globalThis as Record<symbol, unknown>)[kernelSymbol] as Kernel | undefined;
}

/**
 * Shows a value below the cell, in its richest form. `await` it where the value needs time to draw itself.
 * Outside a kernel it prints the value's text.
 *
 * Throws   TypeError when `raw` is set and the value is not a MIME bundle
 */
export async function display(value: unknown, options: DisplayOptions = {}): Promise<DisplayHandle> {
  const running = kernel();
  if (running) return running.display(value, options);
  const print = (shown: unknown): void => console.log(textOf(shown));
  print(value);
  return { id: options.id ?? "", update: (next) => Promise.resolve(print(next)) };
}

/** Removes the cell's output, with `wait` only when the next output comes; nothing outside a kernel. */
export function clearOutput(options: { readonly wait?: boolean } = {}): void {
  kernel()?.clearOutput(options);
}

/**
 * Asks the reader for a line of text.
 *
 * Throws   Error where nobody can be asked: outside a kernel, or when the notebook runs without a front end
 */
export async function input(prompt: string = "", options: { readonly password?: boolean } = {}): Promise<string> {
  return inKernel("input").input(prompt, options);
}

/**
 * A signal that aborts when the running cell is interrupted, or, in a handler that works on after its cell, with the next
 * interrupt: for `fetch`, timers and own work. It never aborts outside a kernel.
 */
export function interruptSignal(): AbortSignal {
  return kernel()?.interruptSignal() ?? new AbortController().signal;
}

/** Opens a comm to a target that the front end knows. */
export function openComm(target: string, data?: unknown, options: CommSendOptions = {}): Comm {
  return inKernel("openComm").openComm(target, data, options);
}

/** Answers comms that the front end opens on a target. */
export function registerCommTarget(target: string, opened: (comm: Comm, message: CommMessage) => unknown): void {
  inKernel("registerCommTarget").registerCommTarget(target, opened);
}

function inKernel(place: string): Kernel {
  const running = kernel();
  if (running) return running;
  throw new Error(`${place}: needs a running kernel; expected a notebook cell, got a plain Node process`);
}
