import {
  asciiBytes,
  asciiText,
  decodeSafetensors,
  encodeSafetensors,
  FormatError,
  OptionError,
  Tensor,
} from "../tensor/index.js";
import type { Tensors } from "./stepGraph.js";

/** All that a run of training is, between two steps. */
export interface State {
  /** Weights and the optimiser's running values, one block each. */
  readonly blocks: Tensors;
  /** What was measured at each step done, by name; all of one length. */
  readonly curves: Readonly<Record<string, Float32Array>>;
  readonly evaluations: readonly Evaluation[];
}

/** What an evaluation said after so many steps. */
export interface Evaluation {
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

/** What must be the same for a run to go on. */
export type Identity = Readonly<Record<string, unknown>>;

const format = "attention-lab checkpoint 1";

/** The bytes of a checkpoint. */
export function encodeCheckpoint({ blocks, curves, evaluations }: State, identity: Identity): Uint8Array {
  const text = JSON.stringify({ format, identity, evaluations }).replace(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const record = asciiBytes(text);
  const named = (prefix: string, tensors: Tensors): [string, Tensor][] =>
    Object.entries(tensors).map(([name, tensor]) => [`${prefix} ${name}`, tensor]);
  const rows = Object.entries(curves).map(
    ([name, data]) => [name, new Tensor("float32", [data.length], data)] as const,
  );
  return encodeSafetensors({
    ...Object.fromEntries(named("block", blocks)),
    ...Object.fromEntries(named("curve", Object.fromEntries(rows))),
    record: new Tensor("uint8", [record.length], record),
  });
}

/**
 * The state of a checkpoint.
 *
 * Throws   FormatError on anything but a checkpoint; OptionError where it belongs to another run, with what differs
 */
export function decodeCheckpoint(path: string, bytes: Uint8Array, identity: Identity): State {
  const tensors = decodeSafetensors(bytes, path);
  const record = tensors["record"];
  const told = record && (JSON.parse(asciiText(record.data as Uint8Array)) as Record<string, unknown>);
  if (told?.["format"] !== format) throw new FormatError(`${path}: expected a checkpoint of a run of training`);
  const before = told["identity"] as Identity;
  const differing = [...new Set([...Object.keys(before), ...Object.keys(identity)])].filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(identity[name]),
  );
  if (differing.length > 0) {
    const [name] = differing;
    throw new OptionError(
      `${path}: this checkpoint belongs to another run: ${differing.join(", ")} differ (${name}: ${short(before[name])} there, ${short(identity[name])} here); delete it, or name another path`,
    );
  }
  const part = (prefix: string): Tensors =>
    Object.fromEntries(
      Object.entries(tensors).flatMap(([name, tensor]) =>
        name.startsWith(`${prefix} `) ? [[name.slice(prefix.length + 1), tensor] as const] : [],
      ),
    );
  return {
    blocks: part("block"),
    curves: Object.fromEntries(Object.entries(part("curve")).map(([name, { data }]) => [name, data as Float32Array])),
    evaluations: told["evaluations"] as readonly Evaluation[],
  };
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? "none";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** A number that tells different bytes apart, as text. Source: FNV-1a, 32 bits. */
export function fingerprint(...parts: readonly Uint8Array[]): string {
  let hash = 0x811c9dc5;
  for (const bytes of parts) for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
