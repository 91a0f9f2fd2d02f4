import { knownNames, OptionError } from "../tensor/index.js";

/** Every activation has a dotted, zero-based address such as `blocks.3.attn.pattern`. */
export type Address = string;

/** Whether a value is computed only where it is asked for or edited: the part of each head in what attention writes. */
export function isOnDemand(address: Address): boolean {
  return address.endsWith("attn.result");
}

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
  if (known.includes(request)) return [request];
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
  const layer = /^(.*\b)blocks\.(\d+)\.(.+)$/.exec(address);
  if (layer && shapes.includes(`${layer[1]}blocks.*.${layer[3]}`)) {
    const layers = known.filter(
      (candidate) => candidate.replace(/\.\d+\./, ".*.") === `${layer[1]}blocks.*.${layer[3]}`,
    );
    throw new OptionError(`${place}: no layer ${layer[2]} for "${request}"; expected 0 … ${layers.length - 1}`);
  }
  const asked = address.replace(/\.\d+\./, ".*.");
  throw new OptionError(`${place}: unknown address "${request}"${knownNames(asked, shapes)}`);
}
