import { createHash } from "node:crypto";
import type { OnnxModel, Program, Value } from "../graph/index.js";
import {
  bindShape,
  earlyRows,
  encodeOnnx,
  halfProducts,
  inputName,
  lower,
  narrowed,
  programOf,
  unrolled,
} from "../graph/index.js";
import type { DType } from "../tensor/index.js";
import { Tensor } from "../tensor/index.js";
import type { Coverage } from "./coverage.js";
import type { WireTensor } from "./engineMessages.js";

/** A graph in the form that a device can run. */
export interface Plan {
  /** As it was asked for; feeds and results have its element types. */
  readonly program: Program;
  /** As it runs. */
  readonly fitted: Program;
  readonly model: OnnxModel;
  /** Equal for equal graphs on equal weights. */
  readonly key: string;
}

export interface PlanOptions {
  readonly device: string;
  /** What the device lacks; undefined where all kernels are there. */
  readonly coverage: Coverage | undefined;
  readonly isHalf: boolean;
}

/** A graph as it was asked for, and as a device can run it. */
export function fittedTo(
  outputs: Readonly<Record<string, Value>>,
  { device, coverage, isHalf }: PlanOptions,
): Pick<Plan, "program" | "fitted"> {
  const program = programOf(outputs);
  const early = earlyRows(program);
  // Loops run on the CPU alone, and what rewrites a graph for a device does not look into their bodies.
  const plain = coverage || isHalf ? unrolled(early.outputs) : early.outputs;
  const precise = isHalf ? halfProducts(plain) : plain;
  if (coverage) return { program, fitted: programOf(lower(precise, { device, lacks: coverage.lacks })) };
  return { program, fitted: isHalf ? programOf(precise) : early };
}

/** A fitted graph as a file. */
export function fileOf(fitted: Program, { coverage }: PlanOptions): Pick<Plan, "model" | "key"> {
  const model = encodeOnnx(fitted, coverage ? { feedShapes: true } : { fuseTransposed: true, spreadNumbers: true });
  const hash = createHash("sha256")
    .update(model.bytes)
    .update(`\n${model.folder ?? ""}\n`);
  for (const { source, file } of fitted.values) {
    if (source?.kind === "weight") hash.update(`${source.version}\n`);
    if (file) hash.update(`${file.version}\n`);
  }
  return { model, key: hash.digest("hex") };
}

/** A copy that the engine thread may take: the caller's data is never detached, unless the caller gives it. */
function wire({ dtype, shape, data }: Tensor, isGiven: boolean): WireTensor {
  const isOwn = isGiven && data.byteLength === data.buffer.byteLength;
  return { dtype, shape, data: isOwn ? data : data.slice() };
}

/** Tensors for inputs of the graph as the device takes them. */
export function wireInputs(
  { fitted }: Plan,
  feeds: Readonly<Record<string, Tensor>>,
  gives: readonly string[] = [],
): Record<string, WireTensor> {
  const tensors = fitted.inputs.flatMap((value): [string, WireTensor][] => {
    const name = inputName(value);
    if (!Object.hasOwn(feeds, name)) return [];
    const fed = feeds[name]!;
    const isNarrow = fed.dtype === "int64" && value.dtype === "int32";
    return [
      [name, isNarrow ? narrowed(`run: input "${name}"`, fed as Tensor<"int64">) : wire(fed, gives.includes(name))],
    ];
  });
  return Object.fromEntries(tensors);
}

/** What one run is fed, shapes that the graph asks for among it. */
export function wireFeeds(
  plan: Plan,
  feeds: Readonly<Record<string, Tensor>>,
  sizes: Readonly<Record<string, number>>,
  gives?: readonly string[],
): Readonly<Record<string, WireTensor>> {
  const shapes = [...plan.model.fedShapes].map(([name, shape]): [string, WireTensor] => {
    const data = BigInt64Array.from(bindShape("run", shape, sizes), BigInt);
    return [name, { dtype: "int64", shape: [data.length], data }];
  });
  return { ...wireInputs(plan, feeds, gives), ...Object.fromEntries(shapes) };
}

/** The memory that is handed over with tensors. */
export function buffersOf(tensors: Readonly<Record<string, WireTensor>>): ArrayBuffer[] {
  return Object.values(tensors).map(({ data }) => data.buffer as ArrayBuffer);
}

/** A result in the element type that the graph promised. */
export function unwired({ dtype, shape, data }: WireTensor, promised: DType): Tensor {
  if (dtype === "int32" && promised === "int64") return new Tensor("int64", shape, BigInt64Array.from(data, BigInt));
  return new Tensor(dtype, shape, data);
}
