import type { Program } from "./program.js";
import { smallConstant, sourceKey } from "./program.js";
import type { Value } from "./value.js";

/**
 * A text that is equal for programs of equal values, names and weights: what the ONNX file of one says, that of the other says too.
 *
 * Range    undefined where comparing costs as much as writing the file: large constants, loops, nodes of files
 */
export function structureOf({ values, outputs }: Program): string | undefined {
  const places = new Map(values.map((value, place) => [value, place]));
  const lines: string[] = [];
  for (const value of values) {
    const line = lineOf(value, places);
    if (line === undefined) return undefined;
    lines.push(line);
  }
  return `${lines.join("\n")}\n${JSON.stringify(Object.entries(outputs).map(([name, value]) => [name, places.get(value)]))}`;
}

function lineOf(value: Value, places: ReadonlyMap<Value, number>): string | undefined {
  const { op, inputs, attributes, source, label = "" } = value;
  if (value.loop || value.file) return undefined;
  if (op) return `${label} ${op}(${inputs.map((x) => places.get(x)).join()}) ${JSON.stringify(attributes)}`;
  if (source?.kind === "input") return `${label} ${sourceKey(value, 0)} ${value.dtype} [${value.shape.join()}]`;
  if (source?.kind === "weight") return `${label} ${sourceKey(value, 0)} ${source.version}`;
  const isSmall = source?.kind === "constant" && source.tensor.data.length <= smallConstant;
  return isSmall ? `${label} ${sourceKey(value, 0)}` : undefined;
}
