import type { Engine, OnnxFile, RunSettings } from "../../graph/index.js";
import { fileValue } from "../../graph/index.js";
import { UnsupportedError } from "../../tensor/index.js";
import type { Tensor } from "../../tensor/index.js";
import type { Batch } from "../family.js";
import type { BlockSizes, FoundBlock, NotFound } from "./block.js";
import { findExplicit } from "./explicit.js";
import type { FileInput } from "./feeds.js";
import { feedsOf, inputValues } from "./feeds.js";
import type { Seen } from "./fileGraph.js";
import { findFused } from "./fused/index.js";
import { addressesOf } from "./towers.js";
import { FileView } from "./view.js";

/** One attention of a file, measured. */
export interface OpenBlock {
  readonly address: string;
  readonly block: FoundBlock;
  readonly sizes: BlockSizes;
}

/** What a file turned out to hold. */
export interface Inspected {
  /** In the order of the file. */
  readonly blocks: readonly OpenBlock[];
  readonly not: readonly NotFound[];
  /** Tensors of the first run by name, outputs included. */
  readonly seen: Seen;
  readonly outputs: readonly string[];
}

/** Outputs that only carry the past on. */
const carried = /^present|past_key_values|^past/;

/** Runs the file once as it is and gives the tensors of these names. */
async function look(
  engine: Engine,
  file: OnnxFile,
  inputs: readonly FileInput[],
  batch: Batch,
  names: readonly string[],
  settings: RunSettings,
): Promise<Seen> {
  const given = inputValues(inputs);
  const asked = names.filter((name) => !given.has(name));
  // Shapes are what this run is to tell; nothing reads those that stand here.
  const values = asked.map((name) => [`look/${name}`, fileValue({ file, name, given }, "float32", [])] as const);
  const feeds = feedsOf(inputs, batch);
  const compiled = await engine.compile(Object.fromEntries(values), settings);
  try {
    const results = await compiled.run(feeds, undefined, settings);
    return new Map<string, Tensor>([
      ...Object.entries(feeds),
      ...asked.map((name) => [name, results[`look/${name}`]] as const),
    ]);
  } finally {
    await compiled.dispose();
  }
}

/**
 * Finds the attentions of a file, and runs it once on a small batch to see that each is one: rows that sum to 1, a product
 * that is pattern times values.
 *
 * Throws   UnsupportedError, with the reasons, where no attention is found
 */
export async function inspect(
  engine: Engine,
  place: string,
  file: OnnxFile,
  inputs: readonly FileInput[],
  batch: Batch,
  settings: RunSettings,
): Promise<Inspected> {
  const view = new FileView(file);
  const [explicit, fused] = [findExplicit(view), findFused(view)];
  const candidates = [...explicit.blocks, ...fused.blocks].sort((a, b) => a.place - b.place);
  const not = [...explicit.not, ...fused.not];
  const outputs = file.graph.output.map(({ name }) => name).filter((name) => !carried.test(name));
  const seen = await look(
    engine,
    file,
    inputs,
    batch,
    [...new Set([...outputs, ...candidates.flatMap(({ needs }) => needs)])],
    settings,
  );
  const measured: { readonly block: FoundBlock; readonly sizes: BlockSizes }[] = [];
  for (const block of candidates) {
    const sizes = block.measure(seen, batch.size);
    if (typeof sizes === "string") not.push({ node: block.node, reason: sizes });
    else measured.push({ block, sizes });
  }
  if (measured.length === 0) {
    const reasons = not.map(({ node, reason }) => `${node}: ${reason}`).join("; ");
    throw new UnsupportedError(`${place}: no attention was found${reasons === "" ? "" : `; ${reasons}`}`);
  }
  const addresses = addressesOf(
    view,
    measured.map(({ block }) => block),
  );
  return { blocks: measured.map((held, i) => ({ ...held, address: addresses[i] })), not, seen, outputs };
}
