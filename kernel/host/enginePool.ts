import { availableParallelism } from "node:os";
import type { Engine } from "../graph/index.js";
import { wholeNumber } from "../tensor/index.js";
import { EngineProcess } from "./engineProcess.js";
import { freeMemory, OrtEngine } from "./session.js";

/** What a process is given: onnxruntime, and the training of a small model. */
const processBytes = 5e8;

/** Engines in processes of their own. */
export interface EnginePool {
  readonly engines: readonly Engine[];
  /** Lets the processes end. */
  readonly close: () => void;
}

/** Room that decides how many processes there are. */
export interface PoolRoom {
  readonly cores: number;
  readonly freeBytes: number;
}

/** How many processes `jobs` are spread over: as many as there are cores and memory for, or as many as were wanted. */
export function poolSize(
  jobs: number,
  wanted: number | undefined,
  { cores, freeBytes }: PoolRoom = { cores: availableParallelism(), freeBytes: freeMemory() },
): number {
  const most = wanted === undefined ? Math.min(cores, Math.floor(freeBytes / processBytes)) : wholeNumber("compare", "processes", wanted); // prettier-ignore
  return Math.max(1, Math.min(jobs, most));
}

/**
 * Engines on the processor, each in a process with one thread: a sum is then added up in the same order however many there
 * are, and the numbers are the same.
 */
export function enginePool(count: number): EnginePool {
  const ports = Array.from({ length: count }, () => new EngineProcess(1));
  return {
    engines: ports.map((thread) => new OrtEngine("cpu", { thread })),
    close: () => ports.forEach((port) => port.close()),
  };
}
