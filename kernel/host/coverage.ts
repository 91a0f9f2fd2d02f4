import type { Program, Value } from "../graph/index.js";
import { build, encodeOnnx, input, programOf, signatureOf } from "../graph/index.js";
import type { Provider } from "./engineMessages.js";
import type { EnginePort } from "./engineThread.js";

/** Kernels that exist but are too coarse: WGSL promises an error of 2⁻¹¹ for sin and cos near 0, and none far from it. */
const coarse: Readonly<Partial<Record<Provider, readonly string[]>>> = { webgpu: ["Sin", "Cos"] };

/** A value's operator alone, on inputs of the same types. */
function alone({ op, inputs, attributes }: Value): Uint8Array {
  const leaves = inputs.map(({ dtype, shape }, i) => input(`x${i}`, dtype, shape));
  return encodeOnnx(programOf({ y: build.apply(op, leaves, attributes) }), { feedShapes: true }).bytes;
}

/** What one device has kernels for, found out by asking it and remembered. */
export class Coverage {
  readonly #provider: Provider;
  readonly #thread: EnginePort;
  readonly #accepted = new Map<string, boolean>();

  constructor(provider: Provider, thread: EnginePort) {
    this.#provider = provider;
    this.#thread = thread;
  }

  /** Whether the device is known to lack a value's operator on its element types. */
  readonly lacks = (value: Value): boolean =>
    (coarse[this.#provider]?.includes(value.op) ?? false) || this.#accepted.get(signatureOf(value)) === false;

  /** Asks the device about every operator of a program that it was not asked about; whether it lacks any of them. */
  async learn({ values }: Program): Promise<boolean> {
    for (const value of values.filter(({ op }) => op)) {
      const signature = signatureOf(value);
      if (this.#accepted.has(signature)) continue;
      const { accepted } = await this.#thread.ask({ kind: "accepts", provider: this.#provider, model: alone(value) });
      this.#accepted.set(signature, accepted!);
    }
    return values.some((value) => value.op !== "" && this.lacks(value));
  }
}
