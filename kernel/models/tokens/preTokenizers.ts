import { UnsupportedError } from "../../tensor/index.js";
import { characterOfByte } from "../byteLevel.js";
import type { JsonObject } from "../json.js";
import { textIn } from "../json.js";
import { bytesOfText } from "../utf8.js";
import type { Aligned, Behaviour } from "./aligned.js";
import { patternOf } from "./normalizers.js";

/** Splits a text into words. */
export type PreTokenizer = (x: Aligned) => readonly Aligned[];

const space = /\p{White_Space}/gu;
const asciiPunctuation = "!-/:-@[-`{-~";
const punctuation = new RegExp(`[${asciiPunctuation}\\p{P}]`, "gu");
const digits = /\p{N}/gu;
const wordOrSigns =
  /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;

/** Words, numbers and signs, each with the space before it. Source   Radford et al. 2019 §2.2 */
const gpt2 = patternOf({ Regex: "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+" });

function splitting(pattern: RegExp, behaviour: Behaviour, invert = false): PreTokenizer {
  return (x) => x.split(x.matches(pattern), behaviour, invert);
}

/** Every byte as a character of its own. */
function byteLevel({ add_prefix_space: prefixes, use_regex: splits }: JsonObject): PreTokenizer {
  return (x) => {
    const led = prefixes && x.characters[0] !== " " ? x.prepended(" ") : x;
    const words = splits === false ? [led] : led.split(led.matches(gpt2), "Isolated");
    return words.map((word) => word.mapped((character) => bytesOfText(character).bytes.map(characterOfByte)));
  };
}

/** Spaces as a visible character, one before the text too. */
function metaspace(json: JsonObject): PreTokenizer {
  const replacement = textIn(json["replacement"], "▁");
  const scheme = json["prepend_scheme"] ?? (json["add_prefix_space"] === false ? "never" : "always");
  return (x) => {
    const shown = x.mapped((character) => [character === " " ? replacement : character]);
    const leads = scheme === "always" || (scheme === "first" && x.start === 0);
    const led = leads && shown.characters[0] !== replacement ? shown.prepended(replacement) : shown;
    if (json["split"] === false) return [led];
    return led.split(led.matches(patternOf({ String: replacement })), "MergedWithNext");
  };
}

/**
 * The pre-tokeniser that a tokenizer.json describes.
 *
 * Throws   UnsupportedError on a kind that is not known
 */
export function preTokenizerOf(json: JsonObject | null | undefined): PreTokenizer {
  if (json == null) return (x) => [x];
  const behaviour = (json["behavior"] ?? "Isolated") as Behaviour;
  switch (json["type"]) {
    case "Sequence": {
      const all = ((json["pretokenizers"] ?? []) as readonly JsonObject[]).map(preTokenizerOf);
      return (x) => all.reduce<readonly Aligned[]>((words, next) => words.flatMap(next), [x]);
    }
    case "ByteLevel":
      return byteLevel(json);
    case "Metaspace":
      return metaspace(json);
    case "BertPreTokenizer": {
      const [words, signs] = [splitting(space, "Removed"), splitting(punctuation, "Isolated")];
      return (x) => words(x).flatMap(signs);
    }
    case "Whitespace":
      return splitting(wordOrSigns, "Removed", true);
    case "WhitespaceSplit":
      return splitting(space, "Removed");
    case "Punctuation":
      return splitting(punctuation, behaviour);
    case "Digits":
      return splitting(digits, json["individual_digits"] === true ? "Isolated" : "Contiguous");
    case "CharDelimiterSplit":
      return splitting(patternOf({ String: json["delimiter"] }), "Removed");
    case "Split":
      return splitting(patternOf(json["pattern"]), behaviour, json["invert"] === true);
    default:
      throw new UnsupportedError(`pre-tokenizer "${String(json["type"])}" is not known`);
  }
}
