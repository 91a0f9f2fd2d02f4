import { headLines } from "../models/index.js";
import { OptionError } from "../tensor/index.js";
import { index, text, type Question } from "./question.js";

const big = Number.MAX_SAFE_INTEGER;

/**
 * Where one token looks (`along: "query"`), or who looks at it (`"key"`), as the run holds it; `head: null` is the mean
 * over the heads of the layer.
 *
 * Shapes   buffer float32 [K] or [Q], little-endian
 */
export const line: Question = (run, asked) => {
  const along = text(asked, "along");
  const at = index(asked, "at", big);
  const lines = headLines(run, {
    stack: text(asked, "stack"),
    layer: index(asked, "layer", big),
    head: asked["head"] === null ? undefined : index(asked, "head", big),
    prompt: index(asked, "sample", big),
  });
  if (along !== "query" && along !== "key") {
    throw new OptionError(`live link: along must be "query" or "key", got ${JSON.stringify(along)}`);
  }
  const found = along === "query" ? lines.row(at) : lines.column(at);
  return { data: { length: found.length }, buffers: [new Uint8Array(found.buffer)] };
};
