import { knownNames, OptionError } from "../tensor/index.js";

/** Every activation has a dotted, zero-based address such as `blocks.3.attn.pattern`. */
export type Address = string;

/** Spellings of other libraries: a `hook_` before any part, and `attn_scores` for the scores. */
function canonical(address: string): string {
  return address
    .split(".")
    .map((part) => part.replace(/^hook_/, "").replace(/^attn_scores$/, "scores"))
    .join(".");
}

/**
 * The known addresses that a request means; `*` stands for every layer.
 *
 * Throws   OptionError when it means none
 * Example  resolveAddresses("capture", "blocks.*.attn.hook_q", known)
 */
export function resolveAddresses(place: string, request: unknown, known: readonly Address[]): readonly Address[] {
  if (typeof request !== "string") {
    throw new OptionError(`${place}: an address is text such as "blocks.0.attn.pattern", got ${typeof request}`);
  }
  const address = canonical(request);
  const pattern = address.split(".").map((part) => (part === "*" ? /^\d+$/ : part));
  const found = known.filter((candidate) => {
    const parts = candidate.split(".");
    const fits = (part: string, i: number): boolean => {
      const wanted = pattern[i];
      return wanted instanceof RegExp ? wanted.test(part) : wanted === part;
    };
    return parts.length === pattern.length && parts.every(fits);
  });
  if (found.length > 0) return found;
  const shapes = [...new Set(known.map((candidate) => candidate.replace(/\.\d+\./, ".*.")))];
  const layer = /^blocks\.(\d+)\.(.+)$/.exec(address);
  const layers = known.filter((candidate) => candidate.endsWith(".attn.pattern")).length;
  if (layer && Number(layer[1]) >= layers && shapes.includes(`blocks.*.${layer[2]}`)) {
    throw new OptionError(`${place}: no layer ${layer[1]} for "${request}"; expected 0 … ${layers - 1}`);
  }
  const asked = address.replace(/\.\d+\./, ".*.");
  throw new OptionError(`${place}: unknown address "${request}"${knownNames(asked, shapes)}`);
}

/** The layer of a block's address. */
export function layerOf(address: Address): number {
  return Number(/^blocks\.(\d+)\./.exec(address)?.[1] ?? NaN);
}
