import type { DataOf, DType } from "../tensor/index.js";

/** A tensor on its way between threads. */
export interface WireTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: DataOf[DType];
}

/** What the engine worker is asked to do. */
export type EngineTask =
  | {
      readonly kind: "create";
      readonly session: string;
      readonly model: Uint8Array;
      /** Folder of the weight files. */
      readonly folder: string | undefined;
    }
  | {
      readonly kind: "run";
      readonly session: string;
      readonly feeds: Readonly<Record<string, WireTensor>>;
      readonly outputs: readonly string[];
    }
  | { readonly kind: "release"; readonly session: string }
  | { readonly kind: "backends" };

export type EngineRequest = EngineTask & { readonly id: number };

export type EngineReply =
  | {
      readonly id: number;
      readonly ok: true;
      readonly tensors?: Readonly<Record<string, WireTensor>>;
      readonly backends?: readonly Backend[];
    }
  | { readonly id: number; readonly ok: false; readonly message: string };

/** An execution provider that this build of onnxruntime knows. */
export interface Backend {
  readonly name: string;
  /** Whether its library is inside the package. */
  readonly bundled: boolean;
}
