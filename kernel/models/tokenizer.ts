import { Tokenizer as Engine } from "@huggingface/tokenizers";
import { FormatError } from "../tensor/index.js";
import { bytesOfToken } from "./byteLevel.js";
import type { Files } from "./host.js";
import type { JsonObject } from "./json.js";
import { readJson } from "./json.js";
import type { Offsets } from "./tokens/pipeline.js";
import { offsetsOf, pipelineOf } from "./tokens/pipeline.js";
import type { WordModel } from "./tokens/words.js";
import { wordPieceFromVocabulary } from "./wordPiece.js";

/** The part of the library that is used; its own declarations do not resolve in Node's module resolution. */
interface Library {
  /** Cuts words into pieces of the vocabulary; all else around it is done here, with the places of tokens. */
  readonly model: WordModel;
  readonly decode: (
    ids: readonly number[],
    options: { readonly clean_up_tokenization_spaces?: boolean; readonly skip_special_tokens?: boolean },
  ) => string;
  readonly id_to_token: (id: number) => string | undefined;
}

const LibraryTokenizer = Engine as unknown as new (tokenizer: JsonObject, config: JsonObject) => Library;

/** A prompt as a model reads it. */
export interface Tokenized {
  readonly ids: readonly number[];
  readonly tokenTypeIds: readonly number[];
  /** Where each token lies in the text. */
  readonly offsets: Offsets;
}

/** Text to token ids and back to readable labels. */
export interface Tokenizer {
  /** What it is and where it came from, for the provenance. */
  readonly name: string;
  /** Special tokens are added; the file's own truncation and padding are not followed. */
  readonly encode: (text: string) => Tokenized;
  /** The text that these tokens spell; special tokens are left out. */
  readonly decode: (ids: readonly number[]) => string;
  /** The token as a reader should see it: line breaks and leading spaces visible. */
  readonly label: (id: number) => string;
}

/** Leading spaces, or all where there is nothing else, and line breaks and tabs in visible form. */
function visible(text: string): string {
  return text
    .replace(/^ +/, (spaces) => "␣".repeat(spaces.length))
    .replace(/\n/g, "⏎")
    .replace(/\r/g, "␍")
    .replace(/\t/g, "⇥");
}

/** What a byte-level token says: its text, or its bytes where they are not whole characters. */
function byteLevelLabel(token: string, text: string): string {
  const bytes = bytesOfToken(token);
  const isWhole = !text.includes("\ufffd") || !bytes;
  return isWhole ? visible(text) : bytes.map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}

/** A tokenizer from what tokenizer.json and tokenizer_config.json hold. */
export function tokenizerOf(name: string, json: JsonObject, config: JsonObject): Tokenizer {
  const engine = new LibraryTokenizer(json, config);
  const decoder = json["decoder"] as { readonly type?: unknown } | null | undefined;
  const isByteLevel = decoder?.type === "ByteLevel";
  const pipeline = pipelineOf(json, engine.model);
  const read = (text: string): ReturnType<typeof pipeline> => {
    try {
      const tokens = pipeline(text);
      const unknown = tokens.find(({ id }) => !Number.isSafeInteger(id) || id < 0);
      if (unknown) throw new Error(`"${unknown.text}" has no id, and there is no token for what is unknown`);
      return tokens;
    } catch (error) {
      throw new FormatError(`tokenizer ${name}: the text cannot be read: ${(error as Error).message}`);
    }
  };
  return {
    name,
    encode: (text) => {
      const tokens = read(text);
      return {
        ids: tokens.map(({ id }) => id),
        tokenTypeIds: tokens.map(({ type }) => type),
        offsets: offsetsOf(text, tokens),
      };
    },
    // The library refuses an empty list.
    decode: (ids) => (ids.length === 0 ? "" : engine.decode(ids, { skip_special_tokens: true })),
    label: (id) => {
      const token = engine.id_to_token(id);
      if (token === undefined) return `#${id}`;
      // Byte-level tokens are spelt in a private alphabet; only decoding makes them readable.
      return isByteLevel
        ? byteLevelLabel(token, engine.decode([id], { clean_up_tokenization_spaces: false }))
        : visible(token);
    },
  };
}

/**
 * The tokenizer in a model folder: tokenizer.json, or a WordPiece vocab.txt; undefined where there is none.
 *
 * Throws   FormatError on files that make no tokenizer
 */
export async function loadTokenizer(files: Files, folder: string): Promise<Tokenizer | undefined> {
  const names = await files.list(folder);
  const optional = async (name: string): Promise<JsonObject> =>
    names.includes(name) ? readJson(files, files.resolve(folder, name)) : {};
  const config = await optional("tokenizer_config.json");
  try {
    if (names.includes("tokenizer.json")) {
      const json = await optional("tokenizer.json");
      const { type } = (json["model"] ?? {}) as { readonly type?: string };
      return tokenizerOf(`${type ?? "tokenizer"} (tokenizer.json)`, json, config);
    }
    if (names.includes("vocab.txt")) {
      const vocabulary = await files.readText(files.resolve(folder, "vocab.txt"));
      return tokenizerOf("WordPiece (vocab.txt)", wordPieceFromVocabulary(vocabulary, config), config);
    }
    return undefined;
  } catch (error) {
    throw new FormatError(`load ${folder}: the tokenizer cannot be read: ${(error as Error).message}`);
  }
}
