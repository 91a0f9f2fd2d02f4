import type { DataOf, DType } from "../tensor/index.js";

/** A tensor on its way between threads. */
export interface WireTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: DataOf[DType];
}

/** The state that a run reads and replaces. */
export interface CarriedNames {
  readonly state: string;
  /** Input → the output that takes its place. */
  readonly next: Readonly<Record<string, string>>;
}

/** An execution provider of onnxruntime, under its name there. */
export type Provider = "cpu" | "webgpu" | "cuda" | "coreml" | "dml";

/** What the engine worker is asked to do. */
export type EngineTask =
  | {
      readonly kind: "create";
      readonly session: string;
      readonly provider: Provider;
      readonly model: Uint8Array;
      /** Folder of the weight files. */
      readonly folder: string | undefined;
      /** Whether weights are laid out again for faster products. */
      readonly packs: boolean;
      /** Whether memory that a run no longer needs goes back at once. */
      readonly spares: boolean;
    }
  | {
      readonly kind: "run";
      readonly session: string;
      readonly feeds: Readonly<Record<string, WireTensor>>;
      readonly outputs: readonly string[];
      readonly carried?: CarriedNames;
    }
  /** Tensors that stay here as the first state of runs. */
  | { readonly kind: "hold"; readonly state: string; readonly tensors: Readonly<Record<string, WireTensor>> }
  /** A copy of these parts of a state. */
  | { readonly kind: "held"; readonly state: string; readonly names: readonly string[] }
  /** The end of a state; these parts of it are handed over. */
  | { readonly kind: "drop"; readonly state: string; readonly names: readonly string[] }
  | { readonly kind: "release"; readonly session: string }
  /** Whether a provider has kernels for all of a graph; nothing is kept. */
  | { readonly kind: "accepts"; readonly provider: Provider; readonly model: Uint8Array }
  | { readonly kind: "backends" };

export type EngineRequest = EngineTask & { readonly id: number };

export type EngineReply =
  | {
      readonly id: number;
      readonly ok: true;
      readonly tensors?: Readonly<Record<string, WireTensor>>;
      /** Shapes of the state after a run. */
      readonly shapes?: Readonly<Record<string, readonly number[]>>;
      readonly backends?: readonly Backend[];
      readonly accepted?: boolean;
    }
  | { readonly id: number; readonly ok: false; readonly message: string };

/** onnxruntime's words when a graph needs a kernel that the only allowed provider lacks. */
export const fallbackRefused = "fallback to CPU EP has been explicitly disabled";

/** An execution provider that this build of onnxruntime knows. */
export interface Backend {
  readonly name: string;
  /** Whether its library is inside the package. */
  readonly bundled: boolean;
}
