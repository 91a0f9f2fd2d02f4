import type { Engine } from "../graph/index.js";
import { activationBytes, flopsOf, input, programOf } from "../graph/index.js";
import type { Model } from "../models/index.js";
import { Tensor } from "../tensor/index.js";
import { tokenLogits } from "./lesson.js";

/** What a forward pass of a model over one text costs. */
export interface Cost {
  readonly mechanism: string;
  /** Tokens. */
  readonly length: number;
  /** Arithmetic operations, counted in the graph. */
  readonly flops: number;
  /** The most bytes of activations that are alive at once, counted in the graph. */
  readonly activationBytes: number;
  /** Measured: the median of a few runs. */
  readonly ms: number;
  /** Numbers that decoding holds of a text of so many tokens, all layers together; NaN where it cannot decode. */
  readonly stateNumbers: number;
  /** Why there are no numbers. */
  readonly error?: string;
}

/** Runs that are timed, after one that is not. */
const timed = 5;

/** Counts and times a forward pass over `length` tokens of a model that reads so many. */
export async function costOf(
  { engine, clock }: { readonly engine: Engine; readonly clock: () => number },
  model: Model,
  length: number,
): Promise<Omit<Cost, "mechanism" | "stateNumbers">> {
  const { blueprint, weights } = model.parts();
  const outputs = { logits: tokenLogits(blueprint, Object.fromEntries(weights), input("ids", "int32", [1, length])) };
  const program = programOf(outputs);
  const compiled = await engine.compile(outputs);
  try {
    const ids = new Tensor("int32", [1, length], new Int32Array(length));
    const times: number[] = [];
    for (let run = 0; run <= timed; run++) {
      const began = clock();
      await compiled.run({ ids });
      if (run > 0) times.push(clock() - began);
    }
    const ms = times.sort((a, b) => a - b)[Math.floor(timed / 2)];
    return { length, flops: flopsOf(program), activationBytes: activationBytes(program, {}), ms };
  } finally {
    await compiled.dispose();
  }
}
