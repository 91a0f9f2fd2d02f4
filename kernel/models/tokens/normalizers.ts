import * as library from "@huggingface/tokenizers";
import { UnsupportedError } from "../../tensor/index.js";
import type { JsonObject } from "../json.js";
import { textIn } from "../json.js";
import { Aligned } from "./aligned.js";
import { precompiled } from "./precompiled.js";
import { normalForm } from "./unicodeForms.js";

/** Changes a text before it is split. */
export type Normalizer = (x: Aligned) => Aligned;

const isSpace = (character: string): boolean => /\p{White_Space}/u.test(character);

/** The expression of a rule: a text as it is, or the Rust package's dialect in JavaScript's. */
export function patternOf(pattern: unknown): RegExp {
  const { String: plain, Regex: source } = (pattern ?? {}) as { readonly String?: string; readonly Regex?: string };
  if (typeof plain === "string") return new RegExp(plain.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "gu");
  if (typeof source !== "string")
    throw new UnsupportedError(`a pattern of neither String nor Regex: ${JSON.stringify(pattern)}`);
  // Its own declarations do not resolve in Node's module resolution.
  const { SplitPreTokenizer: Split } = library as unknown as {
    readonly SplitPreTokenizer: new (config: JsonObject) => { readonly pattern: RegExp };
  };
  return new Split({ pattern: { Regex: source }, behavior: "Isolated", invert: false }).pattern;
}

/** Lower case of each character by itself, whatever stands around it. */
function lowercase(x: Aligned): Aligned {
  return x.mapped((character) => [...character.toLowerCase()]);
}

const chinese: readonly (readonly [number, number])[] = [
  [0x4e00, 0x9fff], [0x3400, 0x4dbf], [0x20000, 0x2a6df], [0x2a700, 0x2b73f], [0x2b740, 0x2b81f], [0x2b920, 0x2ceaf],
  [0xf900, 0xfaff], [0x2f800, 0x2fa1f],
]; // prettier-ignore

/** Source   arXiv:1810.04805 §3, as its published code cleans texts */
function bert({
  clean_text: clean,
  handle_chinese_chars: spreads,
  strip_accents: strips,
  lowercase: lowers,
}: JsonObject): Normalizer {
  const keeps = (character: string): boolean =>
    /[\t\n\r]/.test(character) || !/[\ufffd\p{Cc}\p{Cf}\p{Co}\p{Cs}]/u.test(character);
  const isChinese = (character: string): boolean => {
    const point = character.codePointAt(0)!;
    return chinese.some(([low, high]) => point >= low && point <= high);
  };
  return (x) => {
    const cleaned = clean ? x.kept(keeps).mapped((character) => [isSpace(character) ? " " : character]) : x;
    const spread = spreads
      ? cleaned.mapped((character) => (isChinese(character) ? [" ", character, " "] : [character]))
      : cleaned;
    const plain =
      (strips ?? lowers) ? normalForm(spread, "NFD").kept((character) => !/\p{Mn}/u.test(character)) : spread;
    return lowers ? lowercase(plain) : plain;
  };
}

function strip({ strip_left: left, strip_right: right }: JsonObject): Normalizer {
  return (x) => {
    const places = [...x.characters.keys()].filter((i) => !isSpace(x.characters[i]));
    if (places.length === 0) return left || right ? new Aligned([], [], x.start) : x;
    const kept = x.slice(left ? places[0] : 0, right ? places.at(-1)! + 1 : x.length);
    return new Aligned(kept.characters, kept.spans, x.start);
  };
}

/**
 * The normaliser that a tokenizer.json describes.
 *
 * Throws   UnsupportedError on a kind that is not known
 */
export function normalizerOf(json: JsonObject | null | undefined): Normalizer {
  if (json == null) return (x) => x;
  const type = json["type"];
  switch (type) {
    case "Sequence": {
      const all = ((json["normalizers"] ?? []) as readonly JsonObject[]).map(normalizerOf);
      return (x) => all.reduce((text, normalizer) => normalizer(text), x);
    }
    case "BertNormalizer":
      return bert(json);
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD":
      return (x) => normalForm(x, type);
    case "Lowercase":
      return lowercase;
    case "StripAccents":
      return (x) => x.kept((character) => !/\p{M}/u.test(character));
    case "Strip":
      return strip(json);
    case "Prepend":
      return (x) => x.prepended(String(json["prepend"]));
    case "Replace": {
      const pattern = patternOf(json["pattern"]);
      return (x) => x.replaced(x.matches(pattern), textIn(json["content"], ""));
    }
    case "Precompiled":
      return precompiled(json["precompiled_charsmap"]);
    default:
      throw new UnsupportedError(`normalizer "${String(type)}" is not known`);
  }
}
