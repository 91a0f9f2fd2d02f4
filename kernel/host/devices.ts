import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Engine } from "../graph/index.js";
import { knownNames, OptionError, UnsupportedError } from "../tensor/index.js";
import { engineThread } from "./engineThread.js";
import type { Hardware } from "./hardware.js";
import { graphicsCard, nvidiaCard, processor } from "./hardware.js";
import type { EngineOptions } from "./session.js";
import { OrtEngine, providerOf } from "./session.js";

/** A place where graphs can run. */
export interface Device {
  readonly name: string;
  readonly usable: boolean;
  /** Why it cannot be used, or what it is. */
  readonly note: string;
  /** Memory of the device, where the system tells. */
  readonly memoryBytes?: number;
  /** What it computes in; empty where it cannot be used. */
  readonly dtypes: readonly Precision[];
  /** Whether the processor plays its part; `"auto"` passes it over. */
  readonly isSoftware?: boolean;
}

/** What matrix products are computed in. */
export type Precision = Engine["dtype"];

interface Kind {
  readonly hardware: () => Promise<Hardware>;
  /** What its drivers must bring, told where it does not start. */
  readonly needs?: string;
  /** Where it is not inside the package: what is needed. */
  readonly missing: string;
}

const kinds: Readonly<Record<string, Kind>> = {
  cpu: { hardware: async () => Promise.resolve(processor()), missing: "run npm install again" },
  cuda: {
    hardware: async () => (await nvidiaCard()) ?? { name: "NVIDIA card" },
    missing:
      process.platform === "linux" && process.arch === "x64"
        ? "its libraries are not installed; run npm run cuda (docs/devices.md)"
        : "it exists on Linux x64 only",
  },
  webgpu: {
    hardware: graphicsCard,
    missing: "this platform's onnxruntime has none",
    needs: process.platform === "linux" ? "it needs a Vulkan driver: libvulkan1 and the card's own" : "",
  },
  coreml: { hardware: async () => Promise.resolve(processor()), missing: "it exists on macOS only" },
  directml: { hardware: graphicsCard, missing: "it exists on Windows only" },
};

/** `"auto"` takes the first of these that works on hardware; CoreML and DirectML are asked for by name. */
const preferred = ["cuda", "webgpu", "cpu"];
const names = [...Object.keys(kinds), "auto"];

/** How long a device may take to start and run a small graph. */
const patienceMs = 60_000;

type Finding = { readonly dtypes: readonly Precision[] } | { readonly error: string };

/** Runs a small graph on a device in a process of its own. */
async function tryOut(name: string): Promise<Finding> {
  const script = fileURLToPath(new URL("./deviceProbe.js", import.meta.url));
  return new Promise((resolve) => {
    execFile(process.execPath, [script, name], { encoding: "utf8", timeout: patienceMs }, (error, stdout, stderr) => {
      const line = stdout.trim().split("\n").at(-1) ?? "";
      if (line.startsWith("{")) return resolve(JSON.parse(line) as Finding);
      const how = error?.signal ? `was ended by ${error.signal}` : `ended with code ${String(error?.code)}`;
      resolve({ error: `the process that tried it ${how}: ${stderr.trim().split("\n").at(-1) ?? ""}` });
    });
  });
}

/** The part of onnxruntime's message that says something: without the place in its source. */
function plainReason(message: string): string {
  const [first = message] = message.replace(/\/onnxruntime_src\/\S+ .* was false\. /, "").split("\n");
  return first.replace(/^engine: the graph could not be loaded on \S+: /, "").trim();
}

async function examine(name: string): Promise<Device> {
  const { hardware, missing, needs } = kinds[name]!;
  const { backends = [] } = await engineThread().ask({ kind: "backends" });
  const unusable = (note: string): Device => ({ name, usable: false, note, dtypes: [] });
  const backend = backends.find((each) => each.name === providerOf(name));
  // Of CUDA only the bridge is inside the package: whether the rest is there shows when it is tried.
  if (!backend || (!backend.bundled && name !== "cuda")) return unusable(missing);
  const found = await tryOut(name);
  if ("error" in found) {
    const isMissing = /Failed to load shared library|cannot open shared object/.test(found.error);
    return unusable(
      name === "cuda" && isMissing ? missing : [plainReason(found.error), needs].filter(Boolean).join("; "),
    );
  }
  const { name: note, ...rest } = await hardware();
  return { name, usable: true, note, ...rest, dtypes: found.dtypes };
}

const examined = new Map<string, Promise<Device>>();

async function deviceOf(name: string): Promise<Device> {
  const known = examined.get(name) ?? examine(name);
  examined.set(name, known);
  return known;
}

/**
 * Every device that onnxruntime knows, each tried once per process with a small graph; one that cannot be used says why.
 *
 * Example  (await devices()).filter(({ usable }) => usable)
 */
export async function devices(): Promise<readonly Device[]> {
  return Promise.all(Object.keys(kinds).map(deviceOf));
}

async function resolveAuto(): Promise<Device> {
  for (const name of preferred) {
    const device = await deviceOf(name);
    if (device.usable && !device.isSoftware) return device;
  }
  return deviceOf("cpu");
}

const engines = new Map<string, OrtEngine>();

/**
 * The engine of a device, one per process and precision (`onLoad` is that of the first call); float32 where the device lacks float16.
 *
 * Throws   OptionError on a name that is no device; UnsupportedError on one that cannot be used here, with the reason
 */
export async function engineOf(
  device: string,
  dtype: Precision = "float32",
  { onLoad }: Pick<EngineOptions, "onLoad"> = {},
): Promise<Engine> {
  if (!names.includes(device)) throw new OptionError(`load: unknown device "${device}"${knownNames(device, names)}`);
  // The processor needs no trial.
  const found = device === "cpu" ? undefined : device === "auto" ? await resolveAuto() : await deviceOf(device);
  if (found && !found.usable)
    throw new UnsupportedError(`load: device "${device}" cannot be used here: ${found.note}; use "cpu"`);
  const name = found?.name ?? device;
  const precision = found && !found.dtypes.includes(dtype) ? "float32" : dtype;
  const key = `${name} ${precision}`;
  const deviceBytes = name === "cpu" ? undefined : found?.memoryBytes;
  const options: EngineOptions = {
    dtype: precision,
    ...(deviceBytes === undefined ? {} : { deviceBytes }),
    ...(onLoad && { onLoad }),
  };
  const engine = engines.get(key) ?? new OrtEngine(name, options);
  engines.set(key, engine);
  return engine;
}
