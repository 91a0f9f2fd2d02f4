import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { kernelSymbol, type Kernel } from "./api.js";
import { createCellScopes } from "./cellScope.js";
import { createFrameMapper } from "./cells/frames.js";
import { createImporter } from "./cells/importer.js";
import { InterruptError, installCellRuntime } from "./cells/runtime.js";
import type { ToMain } from "./channel.js";
import { createComms } from "./comms.js";
import { createEvaluator } from "./evaluator.js";
import { createExecutor } from "./executor.js";
import type { Link } from "./link.js";
import { createOutputs } from "./outputs.js";
import { captureStreams } from "./streams.js";
import { requireWithTslab } from "./tslab/require.js";

/**
 * Makes this thread the one that runs cells: what they find on `globalThis`, where their output goes, how they
 * are stopped. Returns what handles the protocol worker's messages.
 */
export function startCellThread(link: Link, flags: Int32Array): (message: ToMain) => void {
  const scopes = createCellScopes();
  const frames = createFrameMapper();
  const outputs = createOutputs(link, scopes);
  const executor = createExecutor({ link, scopes, frames, evaluator: createEvaluator(), outputs });

  /** Errors that no cell awaits any more are told on its stderr; the kernel lives on. */
  const report = (error: unknown): void => {
    if (error instanceof InterruptError) return;
    const { traceback } = frames.error(error);
    link.post({ kind: "stream", request: scopes.current().request, name: "stderr", text: `${traceback.join("\n")}\n` });
  };
  const comms = createComms(link, scopes, report);

  const kernel: Kernel = {
    display: (value, options) => outputs.display(value, options),
    updateDisplay: (id, value, options) => outputs.update(id, value, options),
    clearOutput: ({ wait = false } = {}) => outputs.clear(wait),
    async input(prompt = "", { password = false } = {}) {
      const { allowStdin, request, signal } = scopes.current();
      if (!allowStdin)
        throw new Error("input: this front end does not take input; run the cell in a notebook or console");
      return String(await link.ask({ about: "input", request, prompt, password }, signal));
    },
    interruptSignal: () => scopes.current().signal,
    openComm: (target, data, options) => comms.open(target, data, options),
    registerCommTarget: (target, opened) => comms.register(target, opened),
  };

  // Computed, so that the library is found at run time: it is built on this folder, not under it.
  const ownLibrary = (subpath: string) => (): Promise<unknown> => import(`attention-lab${subpath}`);
  const importer = createImporter({
    folder: process.cwd(),
    builtins: {
      "attention-lab": ownLibrary(""),
      "attention-lab/views": ownLibrary("/views"),
      "attention-lab/figure": ownLibrary("/figure"),
      "attention-lab/widgets": ownLibrary("/widgets"),
      tslab: () => import("./tslab/index.js"),
    },
    frames,
  });

  // A kernel is not told the notebook's name, only its folder.
  const notebook = join(process.cwd(), "notebook.ts");
  Object.defineProperty(globalThis, kernelSymbol, { value: kernel });
  const require = requireWithTslab(createRequire(notebook));
  Object.defineProperty(globalThis, "require", { value: require, writable: true, configurable: true });
  installCellRuntime(globalThis, {
    import: (specifier, attributes) => importer.import(specifier, attributes),
    interruptFlag: flags,
    meta: { url: pathToFileURL(notebook).href, dirname: process.cwd(), filename: notebook },
  });
  captureStreams(link, scopes);
  process.on("uncaughtException", report);
  process.on("unhandledRejection", report);
  // The stop button sends a message; a Ctrl-C in the terminal that started the server is not for the kernel.
  process.on("SIGINT", () => undefined);

  return (message) => {
    switch (message.kind) {
      case "execute":
        return void executor.execute(message);
      case "interrupt":
        executor.interrupt();
        comms.interrupt();
        return link.post({ kind: "interrupted" });
      case "comm":
        return comms.receive(message);
      case "answer":
        return link.answered(message.token, message.value);
      case "shutdown":
        process.exit(0);
    }
  };
}
