import type { Value } from "../graph/index.js";
import { build } from "../graph/index.js";
import { checkOptions, OptionError, sizeOf, Tensor } from "../tensor/index.js";
import type { Optimiser } from "./optimiser.js";
import { numberWithin } from "./optimiser.js";

/** Parameters that are trained in their own way. */
export interface ParameterGroup {
  /** Which ones. */
  readonly of: (name: string, shape: readonly number[]) => boolean;
  /** What the rate is multiplied by; 0 keeps them as they are. Default 1. */
  readonly rate?: number;
  /** In place of the optimiser's. */
  readonly weightDecay?: number;
}

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly size: number;
}

/**
 * Parameters as one block of numbers, those of a group side by side. The first group that takes a parameter has it;
 * what none takes is decayed where it is a matrix, and not where it is a bias or the weight of a norm.
 */
export class Layout {
  readonly entries: readonly Entry[];
  readonly size: number;
  /** Runs of numbers with one rate and one decay. */
  readonly runs: readonly { readonly size: number; readonly rate: number; readonly decay: number }[];

  constructor(
    parameters: Readonly<Record<string, Tensor>>,
    { weightDecay }: Optimiser,
    groups: readonly ParameterGroup[] = [],
  ) {
    groups.forEach((group) => {
      checkOptions("optimise: a group", group, ["of", "rate", "weightDecay"]);
      numberWithin("optimise: a group", "rate", group.rate ?? 1, [0, Infinity], true);
      numberWithin("optimise: a group", "weightDecay", group.weightDecay ?? 0, [0, Infinity], true);
    });
    const all = Object.entries(parameters).map(([name, tensor]) => {
      if (tensor.dtype !== "float32")
        throw new OptionError(`optimise: parameter "${name}" must be float32, got ${tensor.dtype}`);
      const group = groups.find(({ of }) => of(name, tensor.shape));
      const decay = group?.weightDecay ?? (group || tensor.shape.length > 1 ? weightDecay : 0);
      return { name, shape: tensor.shape, size: sizeOf(tensor.shape), rate: group?.rate ?? 1, decay };
    });
    if (all.length === 0) throw new OptionError("optimise: there are no parameters");
    const kinds = [...new Set(all.map(({ rate, decay }) => `${rate} ${decay}`))];
    const ordered = kinds.flatMap((kind) => all.filter(({ rate, decay }) => `${rate} ${decay}` === kind));
    let offset = 0;
    this.entries = ordered.map(({ name, shape, size }) => ({ name, shape, size, offset: (offset += size) - size }));
    this.size = offset;
    this.runs = kinds.map((kind) => {
      const own = ordered.filter(({ rate, decay }) => `${rate} ${decay}` === kind);
      return { size: own.reduce((sum, { size }) => sum + size, 0), rate: own[0].rate, decay: own[0].decay };
    });
  }

  /** One number per run, as a scalar where they are all alike. */
  spread(of: "rate" | "decay"): Value {
    const [first] = this.runs;
    if (this.runs.every((run) => run[of] === first[of])) return build.scalar(first[of]);
    return build.concat(
      this.runs.map((run) => build.expand(build.scalar(run[of]), [run.size])),
      0,
    );
  }

  pack(parameters: Readonly<Record<string, Tensor>>): Tensor<"float32"> {
    const block = new Float32Array(this.size);
    for (const { name, offset } of this.entries) block.set(parameters[name].data as Float32Array, offset);
    return new Tensor("float32", [this.size], block);
  }

  unpack(block: Tensor): Readonly<Record<string, Tensor<"float32">>> {
    const data = block.data as Float32Array;
    const found = this.entries.map(({ name, shape, offset, size }) => {
      return [name, new Tensor("float32", shape, data.slice(offset, offset + size))] as const;
    });
    return Object.fromEntries(found);
  }

  /** The parameters as values of a graph, cut out of the block. */
  cut(block: Value): Readonly<Record<string, Value>> {
    const parts = this.entries.map(({ name, shape, offset, size }) => {
      return [name, build.reshape(build.slice(block, 0, offset, offset + size), shape)] as const;
    });
    return Object.fromEntries(parts);
  }

  /** Values of the parameters' shapes as one block. */
  join(parts: Readonly<Record<string, Value>>): Value {
    return build.concat(
      this.entries.map(({ name, size }) => build.reshape(parts[name], [size])),
      0,
    );
  }
}
