#!/usr/bin/env python3
"""Random texts as the Python package tokenizers reads them:  python record.py [seed count]

Without arguments: trains the small tokenizers of this folder (WordPiece, Unigram, BPE with bytes to fall back on, byte-level
BPE with a space before the text) and writes corpus.json: texts, and for each tokenizer, those of ../models among them, ids and
places in code points. With a seed and a count: prints such a corpus of other texts, for fuzz.mjs.
"""
from __future__ import annotations

import json
import os
import random
import sys

import tokenizers
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = ["wordpiece", "unigram", "bpe_fallback", "roberta", "precompiled", "clip", "metaspace", "../models/gpt2", "../models/llama"]

TRAINING = [
    "The cat sat on the mat. The dog, the cow and the cat did not sit there.", "To be, or not to be: that is the question!",
    "attention heads attend to the first token; sinks take the rest", "I can't, we won't; it's 3.14159 or 2,718 – don't ask",
    "Straße, naïve café, Ελλάδα, Москва, 東京 と 京都, 서울, שלום, مرحبا", "def f(x):\n\treturn x * 2  # twice\n",
] * 4

POOLS = [
    "abcdefghijklmnopqrstuvwxyz", "THE CAT SAT", " .,;:!?'\"-()[]{}<>/\\|@#$%^&*_+=~`", "0123456789", " ", "  ",
    "\t\n\r\x0b\x0c", "\u00a0\u2003\u3000\u2028\u200b\u1680\u202f\u0085", "\x00\x01\x07\x1b\x7f\x9f\ufeff\ufffd",
    "éèüñçåøßæœđłİıſ", "\u0301\u0300\u0308\u0327\u0323\u0331\u20dd\u0345\u0334", "e\u0301", "ΑΒΓΣΆΐςσ", "ДжЁйІ",
    "東京都漢字仮名かなカナ々〆", "\U00020000\U0002a6df\U0002f800\uf900豈", "한국어", "\u1112\u1161\u11ab", "שלום\u05b7\u05bc", "مرحبا\u064b\u0651",
    "\u200e\u200f\u202e\u2066\u2069", "हिन्दी", "ไทย", "😀😃🤖", "👩\u200d👩\u200d👧\u200d👦", "👍🏽", "🇩🇪🇫🇷", "❤\ufe0f", "1\ufe0f\u20e3",
    "ﬁﬀ", "ＡＢ１２", "½²Ⅷ①", "٣٤٥", "\ue000\U000f0000\U0010ffff", "\u0378\u2fff", "ǅǈ", "\u2126\u212b\u00c5A\u030a", "\u0344\u0958\u1e9b\u0323",
    "…—“”„‹›«»", "€£¥", "∑√∞≠", "▁", "Ġ", "<unk>", "<s>", "[MASK]", "[CLS]", "<|endoftext|>", "<mask>", "</s>", "the", " the", " cat", "n't", "'s",
]


def texts(seed, count):
    draw = random.Random(seed)
    for _ in range(count):
        parts = []
        for _ in range(draw.choice([1, 2, 3, 5, 8])):
            pool = draw.choice(POOLS)
            parts.append(pool if draw.random() < 0.3 else "".join(draw.choice(pool) for _ in range(draw.randint(1, 4))))
        yield "".join(parts)


def wordpiece():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=20))
    t.normalizer = normalizers.BertNormalizer()
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t.train_from_iterator(TRAINING, trainers.WordPieceTrainer(vocab_size=300, special_tokens=special))
    t.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    t.decoder = decoders.WordPiece()
    return t


def unigram(normalizer):
    t = Tokenizer(models.Unigram())
    t.normalizer = normalizer
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    t.train_from_iterator(TRAINING, trainers.UnigramTrainer(vocab_size=220, special_tokens=special, unk_token="<unk>"))
    t.add_special_tokens([AddedToken("<mask>", lstrip=True)])
    t.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    t.decoder = decoders.Metaspace()
    return t


def bpe_fallback():
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    bytes_ = [f"<0x{i:02X}>" for i in range(256)]
    t.train_from_iterator(TRAINING, trainers.BpeTrainer(vocab_size=500, special_tokens=["<unk>", "<s>", "</s>", *bytes_], limit_alphabet=60))
    state = json.loads(t.to_str())
    state["added_tokens"] = [a for a in state["added_tokens"] if not a["content"].startswith("<0x")]
    t = Tokenizer.from_str(json.dumps(state))
    t.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return t


def roberta():
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    t.train_from_iterator(TRAINING, trainers.BpeTrainer(
        vocab_size=340, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.add_tokens([AddedToken("the", single_word=True, rstrip=True)])
    t.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=True)
    t.decoder = decoders.ByteLevel()
    return t


def clip():
    t = Tokenizer(models.BPE(unk_token="<|endoftext|>", end_of_word_suffix="</w>"))
    t.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(tokenizers.Regex(r"\s+"), " "), normalizers.Lowercase()])
    words = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(tokenizers.Regex(words), behavior="removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    t.train_from_iterator(TRAINING, trainers.BpeTrainer(
        vocab_size=700, special_tokens=["<|startoftext|>", "<|endoftext|>"], end_of_word_suffix="</w>",
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    t.post_processor = processors.RobertaProcessing(("<|endoftext|>", 1), ("<|startoftext|>", 0), trim_offsets=False, add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    return t


def metaspace():
    t = Tokenizer(models.BPE(unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation(behavior="contiguous"),
        pre_tokenizers.Metaspace(prepend_scheme="first", split=True)])
    t.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Strip()])
    t.train_from_iterator(TRAINING, trainers.BpeTrainer(vocab_size=250, special_tokens=["<unk>", "<s>", "</s>"]))
    t.add_tokens([AddedToken("cat", single_word=False, normalized=True), AddedToken("\u00e9", normalized=True, lstrip=True)])
    t.post_processor = processors.BertProcessing(("</s>", 2), ("<s>", 1))
    t.decoder = decoders.Metaspace()
    return t


def charsmap():
    """A small table of replacements, as SentencePiece writes them."""
    import io
    import tempfile
    import sentencepiece as spm
    from sentencepiece import sentencepiece_model_pb2 as proto
    rules = {"\ufb01": "fi", "\uff21": "A", "\u3000": " ", "\t": " ", "\n": " ", "\u200b": "", "\x07": "", "½": "1⁄2", "e\u0301": "é", "\u2126": "Ω",
             "A\u030a": "Å", "①": "1", "…": "..."}
    with tempfile.NamedTemporaryFile("w", suffix=".tsv", delete=False) as f:
        for old, new in rules.items():
            f.write(" ".join(f"{ord(c):X}" for c in old) + "\t" + " ".join(f"{ord(c):X}" for c in new) + "\n")
    out = io.BytesIO()
    spm.SentencePieceTrainer.train(sentence_iterator=iter(TRAINING), model_writer=out, vocab_size=90, hard_vocab_limit=False,
                                   normalization_rule_tsv=f.name, minloglevel=2)
    os.remove(f.name)
    model = proto.ModelProto()
    model.ParseFromString(out.getvalue())
    return model.normalizer_spec.precompiled_charsmap


def precompiled():
    return unigram(normalizers.Sequence([normalizers.Precompiled(charsmap()), normalizers.Replace(tokenizers.Regex(" {2,}"), " ")]))


def corpus(seed, count):
    held = list(dict.fromkeys(texts(seed, count)))
    result = {"tokenizers": tokenizers.__version__, "seed": seed, "texts": held, "read": {}}
    for name in NAMES:
        path = f"{name}/tokenizer.json"
        t = Tokenizer.from_file(os.path.join(HERE, path))
        t.no_padding()
        t.no_truncation()
        encodings = [t.encode(text) for text in held]
        result["read"][name] = [{"ids": e.ids, "places": [x for span in e.offsets for x in span]} for e in encodings]
    return json.dumps(result, ensure_ascii=True, separators=(",", ":"))


def main():
    if len(sys.argv) > 1:
        print(corpus(int(sys.argv[1]), int(sys.argv[2])))
        return
    made = {"wordpiece": wordpiece(), "unigram": unigram(normalizers.Sequence([normalizers.NFKC(), normalizers.StripAccents()])),
            "bpe_fallback": bpe_fallback(), "roberta": roberta(),
            "precompiled": precompiled(), "clip": clip(), "metaspace": metaspace()}
    for name, tokenizer in made.items():
        os.makedirs(os.path.join(HERE, name), exist_ok=True)
        with open(os.path.join(HERE, name, "tokenizer.json"), "w") as f:
            f.write(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=True, separators=(",", ":")))
    with open(os.path.join(HERE, "corpus.json"), "w") as f:
        f.write(corpus(7, 210))


if __name__ == "__main__":
    main()
