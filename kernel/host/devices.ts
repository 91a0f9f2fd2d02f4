import { totalmem } from "node:os";
import type { Engine } from "../graph/index.js";
import { knownNames, OptionError, UnsupportedError } from "../tensor/index.js";
import { engineThread } from "./engineThread.js";
import { OrtEngine } from "./session.js";

/** A place where graphs can run. */
export interface Device {
  readonly name: string;
  readonly usable: boolean;
  /** Why it cannot be used, or what it is. */
  readonly note: string;
  readonly memoryBytes?: number;
}

const known = ["cpu", "webgpu", "cuda", "tensorrt", "coreml", "dml"];
const engines = new Map<string, Engine>();

/** Every device that this build of onnxruntime knows; `usable` says which of them the engine runs on today. */
export async function devices(): Promise<readonly Device[]> {
  const { backends = [] } = await engineThread().ask({ kind: "backends" });
  return backends.map(({ name, bundled }) =>
    name === "cpu"
      ? { name, usable: true, note: "onnxruntime CPU kernels", memoryBytes: totalmem() }
      : {
          name,
          usable: false,
          note: bundled ? "bundled, but not driven by this version" : "its library is not installed",
        },
  );
}

/**
 * The engine of a device, one per process.
 *
 * Throws   OptionError on a name that is no device; UnsupportedError on one that this version does not drive
 */
export function engineOf(device: string): Engine {
  if (!known.includes(device)) throw new OptionError(`load: unknown device "${device}"${knownNames(device, known)}`);
  if (device !== "cpu") throw new UnsupportedError(`load: device "${device}" is not driven by this version; use "cpu"`);
  const engine = engines.get(device) ?? new OrtEngine(device);
  engines.set(device, engine);
  return engine;
}
