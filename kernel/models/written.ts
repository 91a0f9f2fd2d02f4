import type { SymbolicShape, Value } from "../graph/index.js";
import { build, input } from "../graph/index.js";
import { formatShape, OptionError, ShapeError, Tensor } from "../tensor/index.js";
import type { Address } from "./addresses.js";
import { resolveAddresses } from "./addresses.js";
import type { Batch, Blueprint } from "./family.js";
import type { Edit, Forward } from "./forward.js";
import { forward } from "./forward.js";
import type { Intervention } from "./headGates.js";
import type { RunParts } from "./run.js";
import type { GraphEdit, Probe, Site } from "./site.js";

/** A run to write: a model, a batch and what is to be changed. */
export interface RunToWrite {
  readonly blueprint: Blueprint;
  readonly weights: ReadonlyMap<string, Value>;
  readonly untouched: Forward;
  readonly batch: Batch;
  readonly tokens: readonly (readonly string[])[];
  readonly tokenId: Site["tokenId"];
  readonly edits: readonly GraphEdit[];
  /** Applied before all others. */
  readonly first?: Edit | undefined;
}

/** A run written down, ready to be compiled. */
export interface WrittenRun extends Forward {
  readonly site: Site;
  /** What `site.feed` was given, by the name of its input; grows while more is written. */
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly reports: readonly { readonly intervention: string; readonly address: Address; readonly changed: Value }[];
}

/**
 * Writes a model's graph with interventions spliced in between each activation and what reads it.
 *
 * Throws   OptionError on an unknown address; ShapeError where an intervention changes the shape of an activation
 */
export function writeRun(run: RunToWrite): WrittenRun {
  const { blueprint, weights, untouched, batch, tokens, tokenId, edits, first } = run;
  const addresses = [...untouched.values.keys()];
  const feeds: Record<string, Tensor> = {};
  const feedAs =
    (prefix: string): Site["feed"] =>
    (name, tensor, shape: SymbolicShape = tensor.shape) => {
      const full = prefix + name;
      if (Object.hasOwn(feeds, full) && !isSame(feeds[full], tensor)) {
        throw new OptionError(`feed: two tensors are called "${full}"`);
      }
      feeds[full] ??= tensor;
      return input(full, tensor.dtype, shape);
    };
  const known = new Map<Address, Value>();
  const read =
    (place: string, values: ReadonlyMap<Address, Value>): Site["at"] =>
    (address) => {
      const [found, ...more] = resolveAddresses(place, address, addresses);
      if (more.length > 0) throw new OptionError(`${place}: "${address}" means several activations; name one`);
      const value = values.get(found);
      if (!value) throw new OptionError(`${place}: "${found}" is computed later than what reads it`);
      return value;
    };
  const mask = blueprint.inputs.find((spec) => typeof spec !== "string" && spec.name === "attention_mask");
  const rows = typeof mask === "object" ? mask.shape : ["batch", "query"];
  const site: Site = {
    model: blueprint,
    batch,
    tokens,
    addresses,
    tokenId,
    real: feedAs("site.")("real", realMask(batch), rows),
    at: read("at", known),
    clean: read("clean", untouched.values),
    feed: feedAs("probe."),
  };

  const reports: { intervention: string; address: Address; changed: Value }[] = [];
  const targets = edits.map(({ name, at }) => new Set(at.flatMap((each) => resolveAddresses(name, each, addresses))));
  const applyAll: Edit = (address, original) => {
    let value = first ? first(address, original) : original;
    edits.forEach(({ name, edit }, i) => {
      if (!targets[i].has(address)) return;
      const next = edit(value, {
        ...site,
        address,
        layer: Number(/\bblocks\.(\d+)\./.exec(address)?.[1] ?? NaN),
        feed: feedAs(`edit.${i}.${address}.`),
      });
      if (next.dtype !== value.dtype || formatShape(next.shape) !== formatShape(value.shape)) {
        const [was, is] = [value, next].map(({ shape, dtype }) => `${formatShape(shape)} ${dtype}`);
        throw new ShapeError(`${name}: must leave "${address}" ${was}, got ${is}`);
      }
      const changed = changeOf(address, value, next, site.real);
      if (changed) reports.push({ intervention: name, address, changed });
      value = next;
    });
    known.set(address, value);
    return value;
  };
  const { values, outputs } = edits.length > 0 || first ? forward(blueprint, weights, applyAll) : untouched;
  for (const [address, value] of values) known.set(address, value);
  return { values, outputs, site, feeds, reports };
}

/** What a run with interventions and probes has to compute, and how its result is read. */
export function outputsOf(
  { values, reports, site }: WrittenRun,
  wanted: readonly Address[],
  probes: readonly Probe[],
): {
  readonly outputs: Readonly<Record<string, Value>>;
  readonly partsFrom: (results: Readonly<Record<string, Tensor>>) => Pick<RunParts, "captured" | "reports" | "probes">;
} {
  const names = probes.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new OptionError(`run: two probes are called "${twice}"`);
  return {
    outputs: {
      ...Object.fromEntries(wanted.map((address) => [address, values.get(address)!])),
      ...Object.fromEntries(reports.map(({ changed }, i) => [`report ${i}`, changed])),
      ...Object.fromEntries(probes.map(({ name, measure }) => [`probe ${name}`, measure(site)])),
    },
    partsFrom: (results) => ({
      captured: Object.fromEntries(
        wanted.flatMap((address) => (Object.hasOwn(results, address) ? [[address, results[address]]] : [])),
      ),
      reports: reports.map((report, i) => ({ ...report, changed: results[`report ${i}`] })),
      probes: Object.fromEntries(names.map((name) => [name, results[`probe ${name}`]])),
    }),
  };
}

/** Interventions by their kind; the order within a kind stays. */
export function sortInterventions(interventions: readonly (Intervention | GraphEdit)[]): {
  readonly edits: readonly GraphEdit[];
  readonly heads: readonly Intervention[];
} {
  const isEdit = (each: Intervention | GraphEdit): each is GraphEdit => "edit" in each;
  return {
    edits: interventions.filter(isEdit),
    heads: interventions.filter((each): each is Intervention => !isEdit(each)),
  };
}

function isSame(a: Tensor, b: Tensor): boolean {
  if (a === b) return true;
  return a.dtype === b.dtype && a.shape.join() === b.shape.join() && a.data.every((x, i) => x === b.data[i]);
}

function realMask({ size, length, attentionMask }: Batch): Tensor<"float32"> {
  return new Tensor("float32", [size, length], Float32Array.from(attentionMask));
}

/** [B,H] for scores and patterns, else [B]: see {@link EditReport}; undefined for what has no prompts or no positions. */
function changeOf(address: Address, before: Value, after: Value, real: Value): Value | undefined {
  const axis = before.shape[1] === real.shape[1] ? 1 : 2; // of the positions
  if (before.shape[0] !== real.shape[0] || before.shape[axis] !== real.shape[1]) return undefined;
  const isScores = address.endsWith(".scores");
  if (isScores || address.endsWith(".pattern")) {
    const [was, is] = isScores ? [build.softmax(before, -1), build.softmax(after, -1)] : [before, after];
    const moved = build.mul(build.reduceSum(build.abs(build.sub(is, was)), [3]), 0.5); // [B,H,Q]
    const weight = build.unsqueeze(real, [1]);
    return build.div(build.reduceSum(build.mul(moved, weight), [2]), build.reduceSum(weight, [2]));
  }
  const square = (x: Value): Value => {
    const others = x.shape.map((_, i) => i).filter((i) => i !== 0 && i !== axis);
    const sums = build.reduceSum(build.mul(x, x), others); // [B,Q]
    return build.reduceSum(build.mul(sums, real), [1]);
  };
  return build.sqrt(build.div(square(build.sub(after, before)), build.add(square(before), 1e-30)));
}
