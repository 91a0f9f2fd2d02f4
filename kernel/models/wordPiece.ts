import { FormatError } from "../tensor/index.js";
import type { JsonObject } from "./json.js";

/** The text of a special token, which configs hold as a string or as an object. */
function contentOf(config: JsonObject, name: string, fallback: string): string {
  const held = config[name];
  if (typeof held === "string") return held;
  const content =
    typeof held === "object" && held !== null ? (held as { readonly content?: unknown }).content : undefined;
  return typeof content === "string" ? content : fallback;
}

function flagOf(config: JsonObject, name: string, fallback: boolean | null): boolean | null {
  const held = config[name];
  return typeof held === "boolean" || held === null ? held : fallback;
}

/**
 * The tokenizer.json that an older BERT folder with only vocab.txt stands for.
 *
 * Throws   FormatError when a special token is not in the vocabulary
 * Source   arXiv:1810.04805 §3; defaults of transformers' BertTokenizer
 */
export function wordPieceFromVocabulary(text: string, config: JsonObject): JsonObject {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const vocab = Object.fromEntries(lines.map((token, id) => [token, id]));
  const special = (name: string, fallback: string): { readonly content: string; readonly id: number } => {
    const content = contentOf(config, name, fallback);
    if (!Object.hasOwn(vocab, content))
      throw new FormatError(`vocab.txt: ${name} "${content}" is not in the vocabulary`);
    return { content, id: vocab[content] };
  };
  const [pad, unknown, cls, sep, mask] = [
    special("pad_token", "[PAD]"),
    special("unk_token", "[UNK]"),
    special("cls_token", "[CLS]"),
    special("sep_token", "[SEP]"),
    special("mask_token", "[MASK]"),
  ] as const;
  const added = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false };
  const piece = (content: string, type: number) => ({ SpecialToken: { id: content, type_id: type } });
  const sequence = (id: string, type: number) => ({ Sequence: { id, type_id: type } });
  return {
    version: "1.0",
    added_tokens: [pad, unknown, cls, sep, mask].map((token) => ({ ...token, ...added })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: flagOf(config, "tokenize_chinese_chars", true),
      strip_accents: flagOf(config, "strip_accents", null),
      lowercase: flagOf(config, "do_lower_case", true),
    },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: {
      type: "TemplateProcessing",
      single: [piece(cls.content, 0), sequence("A", 0), piece(sep.content, 0)],
      pair: [piece(cls.content, 0), sequence("A", 0), piece(sep.content, 0), sequence("B", 1), piece(sep.content, 1)],
      special_tokens: Object.fromEntries(
        [cls, sep].map(({ content, id }) => [content, { id: content, ids: [id], tokens: [content] }]),
      ),
    },
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: unknown.content,
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}
