#!/usr/bin/env python3
"""Build the developer oracle cases:  python make_models.py [--out DIR] [case ...]"""
from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import oracle_lib as O  # noqa: E402
import torch  # noqa: E402
import transformers as T  # noqa: E402

LICENCES = ["/usr/share/common-licenses/GPL-3", "/usr/share/common-licenses/Apache-2.0", "/usr/share/common-licenses/MPL-2.0"]

# a little non-English text so that multi-byte merges exist
SAMPLER = [
    "The quick brown fox didn't jump over the lazy dog; it's 12:45, we'll see 3.14159 and 1,000,000 more.",
    "Le cœur déçu mais l'âme plutôt naïve, Louÿs rêva de crapaüter en canoë au delà des îles.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
    "Съешь же ещё этих мягких французских булок, да выпей чаю.",
    "我能吞下玻璃而不伤身体。你好，世界！你好，世界！",
    "私はガラスを食べられます。それは私を傷つけません。こんにちは世界",
    "나는 유리를 먹을 수 있어요. 그래도 아프지 않아요",
    "أنا قادر على أكل الزجاج و هذا لا يؤلمني.",
    "אני יכול לאכול זכוכית וזה לא מזיק לי.",
    "def attention(q, k, v):\n    return softmax(q @ k.T / sqrt(d)) @ v\n",
    "😀 😂 🎉 👍 ❤️ 😀 😂 🎉 👍",
] * 12

STRINGS = [
    "",
    " ",
    "Hello, world!",
    "hello world",
    " leading and trailing ",
    "two  spaces   three    four",
    "\ttab\t\ttabs \t mixed",
    "line\nbreak\n\nparagraph\r\nwindows\rmac",
    "   \n   \n\n  x",
    "I'm you're he'll we'd they've it's DON'T I'M",
    "can\u2019t won\u2019t \u201cquoted\u201d \u2014 em\u2013en\u2026",
    "1 12 123 1234 12345 1234567890 3.14 1,000,000",
    "\u0661\u0662\u0663 \u0967\u0968\u0969 \u00bd \u00b2 \u2163 \u3289",
    "snake_case camelCase SCREAMING_CASE kebab-case",
    "x=1;y+=2/*c*/ // z != \u2260 \u2264",
    "https://example.com/a?b=c&d=%20#frag",
    "caf\u00e9 na\u00efve \u00fcber \u00c5ngstr\u00f6m",
    "cafe\u0301 nai\u0308ve u\u0308ber A\u030angstro\u0308m",
    "Z\u0351\u036b\u0343\u036aa\u0363\u0308l\u0360\u0362g\u0334o\u0321",
    "\u4f60\u597d\uff0c\u4e16\u754c\uff01",
    "\u6f22\u5b57\u304b\u306a\u4ea4\u3058\u308a\u6587 \u30ab\u30bf\u30ab\u30ca \uff76\uff80\uff76\uff85",
    "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab \ud7a3",
    "\ud83d\ude00",
    "\ud83d\ude00\ud83d\ude02\ud83c\udf89 \ud83d\udc4d\ud83c\udffd",
    "\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67\u200d\ud83d\udc66 family \ud83c\uddeb\ud83c\uddf7\ud83c\udde9\ud83c\uddea",
    "\u2764\ufe0f \u263a\ufe0e 1\ufe0f\u20e3 \u00a9\ufe0f",
    "\u0634\u0643\u0631\u0627 \u0644\u0643 \u0628\u0633\u0645",
    "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd abc \u05d0\u05d1\u05d2",
    "\u202eRTL override\u202c \u200f\u200e marks",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35\u0e0a\u0e32\u0e27\u0e42\u0e25\u0e01",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e \u0915\u094d\u0937\u093f",
    "nbsp\u00a0thin\u2009ideographic\u3000zero\u200bwidth\ufeffbom",
    "\x00nul \x01\x02 bell\x07 esc\x1b[0m del\x7f c1\x85\x9f",
    "\u2028line sep\u2029para sep\x0bvt\x0cff",
    "\ufffd replacement \uffff nonchar \ue000 private",
    "\U0001d54f\U0001d556\U0001d557 \U00020000\U0002a6d6 \U0001f9d1\U0001f3fe\u200d\U0001f680",
    "<|endoftext|>",
    "a<|endoftext|>b <|endoftext|> c<|begin_of_text|>d<|end_of_text|>",
    "<|endof text|> <|ENDOFTEXT|> <s></s> [CLS]",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!!!!!!!!????\u3002\u3002\u3002        end",
]
# Python literals above use surrogate pairs for emoji: join them into real code points
STRINGS = [s.encode("utf-16", "surrogatepass").decode("utf-16") for s in STRINGS]
assert len(STRINGS) == 40 and len(set(STRINGS)) == 40


# --------------------------------------------------------------------------------------------------
# tokenizers
# --------------------------------------------------------------------------------------------------
def corpus():
    texts = O.read_text(LICENCES, limit=9000) + SAMPLER
    sha = hashlib.sha256("\x00".join(texts).encode()).hexdigest()
    return texts, sha


_TOK = {}


def gpt2_tokenizer():
    if "gpt2" in _TOK:
        return _TOK["gpt2"]
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    texts, sha = corpus()
    tok = Tokenizer(models.BPE())
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True)
    tok.decoder = decoders.ByteLevel()
    tok.post_processor = processors.ByteLevel(trim_offsets=False)
    tr = trainers.BpeTrainer(vocab_size=389, special_tokens=["<|endoftext|>"], show_progress=False, min_frequency=2,
                             initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tok.train_from_iterator(texts, tr)
    assert tok.get_vocab_size() == 389
    _TOK["gpt2"] = (tok, sha)
    return _TOK["gpt2"]


LLAMA3_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
                r"|\s*[\r\n]+|\s+(?!\S)|\s+")


def llama_tokenizer():
    if "llama" in _TOK:
        return _TOK["llama"]
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    texts, sha = corpus()
    tok = Tokenizer(models.BPE(ignore_merges=True))
    tok.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(LLAMA3_SPLIT), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False),
    ])
    tok.decoder = decoders.ByteLevel()
    tr = trainers.BpeTrainer(vocab_size=418, special_tokens=[], show_progress=False, min_frequency=2,
                             initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()))
    tok.train_from_iterator(texts, tr)
    tok.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in
                            ("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>")])
    bos = tok.token_to_id("<|begin_of_text|>")
    assert bos == 418 and tok.get_vocab_size() == 421
    tok.post_processor = processors.Sequence([
        processors.ByteLevel(trim_offsets=False),
        processors.TemplateProcessing(
            single="<|begin_of_text|> $A", pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
            special_tokens=[("<|begin_of_text|>", bos)]),
    ])
    _TOK["llama"] = (tok, sha)
    return _TOK["llama"]


def save_gpt2_tok(dst):
    tok, sha = gpt2_tokenizer()
    O.save_tokenizer(tok, dst, STRINGS, {
        "tokenizer_class": "GPT2Tokenizer", "add_prefix_space": False, "model_max_length": 40,
        "bos_token": "<|endoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>",
        "clean_up_tokenization_spaces": False}, f"GPT-2 style byte-level BPE; corpus sha256 {sha}")


def save_llama_tok(dst):
    tok, sha = llama_tokenizer()
    O.save_tokenizer(tok, dst, STRINGS, {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64,
        "bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>",
        "clean_up_tokenization_spaces": False},
        f"Llama-3 style byte-level BPE (Split regex, ignore_merges, BOS template); corpus sha256 {sha}")


def text_batch(tok, texts, T_, lens, side, pad_id, special):
    ids = torch.full((len(texts), T_), pad_id, dtype=torch.long)
    mask = torch.zeros(len(texts), T_, dtype=torch.long)
    for b, (s, n) in enumerate(zip(texts, lens)):
        e = tok.encode(s, add_special_tokens=special).ids[:n]
        assert len(e) == n, (len(e), n)
        sl = slice(T_ - n, T_) if side == "left" else slice(0, n)
        ids[b, sl], mask[b, sl] = torch.tensor(e), 1
    return ids, mask


# --------------------------------------------------------------------------------------------------
# cases
# --------------------------------------------------------------------------------------------------
def rope(theta, **kw):
    return {"rope_type": "default", "rope_theta": theta, **kw}


def emb(std):
    """small token embeddings: with tied weights a large one makes every position predict its own token"""
    return [(r"(wte|embed_tokens|embed_in|shared)\.weight$", ("normal", 0.0, std))]


def case_gpt2():
    tok, _ = gpt2_tokenizer()
    cfg = T.GPT2Config(vocab_size=389, n_positions=40, n_embd=48, n_layer=3, n_head=4, bos_token_id=0, eos_token_id=0,
                       initializer_range=0.25)
    b = text_batch(tok, ["The licensor grants you the freedom to run it; naïve 你好 😀", "You may copy this License, but don't change it."],
                   13, (13, 9), "left", 0, False)
    return O.causal_case("gpt2", "GPT2LMHeadModel", cfg, 4001, "transformer.h.{l}.attn.c_proj", 3, 4, "transformer.ln_f",
                         "left", ids=b, tokenizer=save_gpt2_tok, rules=emb(0.25))


def case_gpt_neox():
    cfg = T.GPTNeoXConfig(vocab_size=97, hidden_size=48, num_hidden_layers=3, num_attention_heads=6, intermediate_size=112,
                          max_position_embeddings=48, rope_parameters=rope(700.0, partial_rotary_factor=0.5),
                          use_parallel_residual=True, bos_token_id=0, eos_token_id=0, initializer_range=0.25)

    def leg(d):
        d["rotary_emb_base"] = d.pop("rope_theta")
        d["rotary_pct"] = d.pop("partial_rotary_factor")
    return O.causal_case("gpt_neox", "GPTNeoXForCausalLM", cfg, 1002, "gpt_neox.layers.{l}.attention.dense", 3, 6,
                         "gpt_neox.final_layer_norm", "right", legacy=leg)


def case_gpt_neo():
    cfg = T.GPTNeoConfig(vocab_size=67, max_position_embeddings=40, hidden_size=24, num_layers=3, num_heads=3, intermediate_size=56,
                         attention_types=[[["global", "local"], 1], [["global"], 1]], window_size=4, bos_token_id=0, eos_token_id=0,
                         initializer_range=0.25)
    # scores are not scaled: smaller queries keep attention from being one-hot
    return O.causal_case("gpt_neo", "GPTNeoForCausalLM", cfg, 1023, "transformer.h.{l}.attn.attention.out_proj", 3, 3,
                         "transformer.ln_f", "left", rules=[(r"q_proj\.weight$", ("gain", 0.5))] + emb(0.25))


def without(*drop):
    return lambda d: {k: v for k, v in d.items() if k not in drop}


def case_llama():
    tok, _ = llama_tokenizer()
    cfg = T.LlamaConfig(vocab_size=424, hidden_size=48, intermediate_size=104, num_hidden_layers=3, num_attention_heads=6,
                        num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, rope_parameters=rope(2500.0),
                        tie_word_embeddings=False, bos_token_id=418, eos_token_id=419, pad_token_id=420, initializer_range=0.25)
    b = text_batch(tok, ["Redistribution is permitted: 1234 copies, naïve 你好 😀", "It's the GNU General Public License version 3."],
                   13, (13, 9), "left", 420, True)
    return O.causal_case("llama", "LlamaForCausalLM", cfg, 1003, "model.layers.{l}.self_attn.o_proj", 3, 6, "model.norm",
                         "left", ids=b, pad_id=420, kv_heads=2, tokenizer=save_llama_tok, legacy=without("head_dim"),
                         notes=["vocab_size 424 > 421 tokenizer ids: the embedding is padded, as in many real checkpoints"])


def case_llama_rope3():
    cfg = T.LlamaConfig(vocab_size=97, hidden_size=48, intermediate_size=88, num_hidden_layers=3, num_attention_heads=4,
                        num_key_value_heads=2, head_dim=16, max_position_embeddings=512, rms_norm_eps=1e-5,
                        rope_parameters={"rope_type": "llama3", "rope_theta": 100.0, "factor": 8.0, "low_freq_factor": 1.0,
                                         "high_freq_factor": 4.0, "original_max_position_embeddings": 64},
                        tie_word_embeddings=True, bos_token_id=1, eos_token_id=2, pad_token_id=0, initializer_range=0.25)
    return O.causal_case("llama_rope3", "LlamaForCausalLM", cfg, 11004, "model.layers.{l}.self_attn.o_proj", 3, 4, "model.norm",
                         "right", kv_heads=2, rules=emb(0.25),
                         notes=["rope_scaling llama3; head_dim 16 != hidden/heads 12; tied embeddings"])


def case_mistral():
    cfg = T.MistralConfig(vocab_size=101, hidden_size=48, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
                          num_key_value_heads=2, head_dim=12, max_position_embeddings=64, sliding_window=5, rms_norm_eps=1e-5,
                          rope_parameters=rope(10000.0), bos_token_id=1, eos_token_id=2, pad_token_id=0, initializer_range=0.25)
    return O.causal_case("mistral", "MistralForCausalLM", cfg, 1005, "model.layers.{l}.self_attn.o_proj", 3, 4, "model.norm",
                         "left", kv_heads=2, legacy=without("head_dim"))


def case_qwen2():
    cfg = T.Qwen2Config(vocab_size=103, hidden_size=48, intermediate_size=100, num_hidden_layers=3, num_attention_heads=6,
                        num_key_value_heads=3, max_position_embeddings=64, rope_parameters=rope(1000000.0),
                        tie_word_embeddings=True, use_sliding_window=False, bos_token_id=1, eos_token_id=2, pad_token_id=0,
                        initializer_range=0.25)
    return O.causal_case("qwen2", "Qwen2ForCausalLM", cfg, 5006, "model.layers.{l}.self_attn.o_proj", 3, 6, "model.norm",
                         "left", kv_heads=3, rules=emb(0.25), legacy=without("layer_types"))


QKN = (r"[qk]_norm\.weight$", ("normal", 1.8, 0.5))


def case_qwen3():
    cfg = T.Qwen3Config(vocab_size=97, hidden_size=48, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
                        num_key_value_heads=2, head_dim=16, max_position_embeddings=64, rope_parameters=rope(5000.0),
                        tie_word_embeddings=True, attention_bias=False, bos_token_id=1, eos_token_id=2, pad_token_id=0,
                        initializer_range=0.25)
    return O.causal_case("qwen3", "Qwen3ForCausalLM", cfg, 1007, "model.layers.{l}.self_attn.o_proj", 3, 4, "model.norm",
                         "right", kv_heads=2, rules=[QKN] + emb(0.25), legacy=without("layer_types"))


def case_gemma2():
    cfg = T.Gemma2Config(vocab_size=97, hidden_size=48, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
                         num_key_value_heads=2, head_dim=16, max_position_embeddings=64, rope_parameters=rope(10000.0),
                         query_pre_attn_scalar=20, sliding_window=4, attn_logit_softcapping=6.0, final_logit_softcapping=7.0,
                         bos_token_id=2, eos_token_id=1, pad_token_id=0, initializer_range=0.25)
    return O.causal_case("gemma2", "Gemma2ForCausalLM", cfg, 27008, "model.layers.{l}.self_attn.o_proj", 3, 4, "model.norm",
                         "left", kv_heads=2,
                         rules=[(r"model\.norm\.weight$", ("normal", 8.0, 1.0)), (r"norm\.weight$", ("normal", 0.0, 0.3)),
                                (r"embed_tokens", ("normal", 0.0, 0.05))],
                         legacy=without("layer_types"))


def case_phi3():
    cfg = T.Phi3Config(vocab_size=97, hidden_size=64, intermediate_size=92, num_hidden_layers=3, num_attention_heads=4,
                       num_key_value_heads=2, max_position_embeddings=64, original_max_position_embeddings=64, rms_norm_eps=1e-5,
                       rope_parameters=rope(10000.0, partial_rotary_factor=0.75), sliding_window=6,
                       bos_token_id=1, eos_token_id=2, pad_token_id=0, initializer_range=0.25)
    return O.causal_case("phi3", "Phi3ForCausalLM", cfg, 1009, "model.layers.{l}.self_attn.o_proj", 3, 4, "model.norm",
                         "right", kv_heads=2)


def case_opt():
    cfg = T.OPTConfig(vocab_size=97, hidden_size=48, num_hidden_layers=3, ffn_dim=108, num_attention_heads=4,
                      max_position_embeddings=40, word_embed_proj_dim=48, do_layer_norm_before=True, dropout=0.0,
                      bos_token_id=2, eos_token_id=2, pad_token_id=1, init_std=0.25)
    return O.causal_case("opt", "OPTForCausalLM", cfg, 1010, "model.decoder.layers.{l}.self_attn.out_proj", 3, 4,
                         "model.decoder.final_layer_norm", "left", pad_id=1, position_ids=False, rules=emb(0.25))


# post-LayerNorm models: keep the residual stream dominant and the scores spread, else positions collapse
POSTLN = [(r"(query|key|q_lin|k_lin|q_proj|k_proj)\.weight", ("gain", 2.2)),
          (r"(attention\.output\.dense|out_lin|out_proj|output\.dense|fc2|lin2)\.weight", ("gain", 1.1))]


def enc_inputs(seed, vocab, T_, lens, pad_id, types=False, side="right", avoid=(), lo=5):
    ids, mask = O.token_batch(seed, vocab, T_, lens, side, pad_id, avoid, lo)
    d = {"input_ids": ids, "attention_mask": mask}
    if types:
        tt = torch.zeros_like(ids)
        for b, n in enumerate(lens):
            off = 0 if side == "right" else T_ - n
            tt[b, off + n // 2: off + n] = 1
        d["token_type_ids"] = tt
    return d


def case_bert():
    cfg = T.BertConfig(vocab_size=97, hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=100,
                       max_position_embeddings=40, type_vocab_size=2, pad_token_id=0, initializer_range=0.25,
                       tie_word_embeddings=True)
    return O.encoder_case("bert", "BertForMaskedLM", cfg, 1011, "bert.encoder.layer.{l}.attention.output.dense", 3, 4,
                          enc_inputs(1011, 97, 13, (13, 9), 0, types=True), base="bert", outputs={"logits": "logits"},
                          padding="right", rules=POSTLN)


def case_bert_model():
    cfg = T.BertConfig(vocab_size=97, hidden_size=36, num_hidden_layers=2, num_attention_heads=6, intermediate_size=80,
                       max_position_embeddings=40, type_vocab_size=2, pad_token_id=0, hidden_act="gelu_new",
                       layer_norm_eps=1e-6, initializer_range=0.25)
    return O.encoder_case("bert_model", "BertModel", cfg, 1012, "encoder.layer.{l}.attention.output.dense", 2, 6,
                          enc_inputs(1012, 97, 11, (11, 7), 0, types=True), outputs={"pooler_output": "pooler_output"},
                          padding="right", ablate=[("", 0, 1), ("", 1, 5), ("", 1, 0)], rules=POSTLN,
                          notes=["bare BertModel: checkpoint names carry no 'bert.' prefix; tanh pooler"])


def case_distilbert():
    cfg = T.DistilBertConfig(vocab_size=97, dim=48, n_layers=3, n_heads=6, hidden_dim=100, max_position_embeddings=40,
                             pad_token_id=0, initializer_range=0.25)
    return O.encoder_case("distilbert", "DistilBertForMaskedLM", cfg, 1013, "distilbert.transformer.layer.{l}.attention.out_lin",
                          3, 6, enc_inputs(1013, 97, 13, (13, 10), 0), base="distilbert", outputs={"logits": "logits"},
                          padding="right", rules=POSTLN)


def case_roberta():
    cfg = T.RobertaConfig(vocab_size=97, hidden_size=48, num_hidden_layers=3, num_attention_heads=4, intermediate_size=100,
                          max_position_embeddings=42, type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2,
                          initializer_range=0.25)
    return O.encoder_case("roberta", "RobertaForMaskedLM", cfg, 1014, "roberta.encoder.layer.{l}.attention.output.dense", 3, 4,
                          enc_inputs(1014, 97, 13, (13, 9), 1, side="left"), base="roberta", outputs={"logits": "logits"},
                          padding="left", rules=POSTLN,
                          notes=["left padded on purpose: position ids come from (input_ids != pad).cumsum, not from the mask"])


def pixels(seed, *shape):
    return O.randn(shape, seed, "pixel_values", std=1.0)


def case_vit():
    cfg = T.ViTConfig(hidden_size=40, num_hidden_layers=3, num_attention_heads=5, intermediate_size=88, image_size=24,
                      patch_size=6, num_channels=3, num_labels=7, initializer_range=0.25)
    return O.encoder_case("vit", "ViTForImageClassification", cfg, 1015, "vit.layers.{l}.attention.o_proj", 3, 5,
                          {"pixel_values": pixels(1015, 2, 3, 24, 24)}, base="vit", outputs={"logits": "logits"},
                          main_input="pixel_values")


def case_clip():
    cfg = T.CLIPConfig(
        text_config=dict(vocab_size=97, hidden_size=32, intermediate_size=72, projection_dim=24, num_hidden_layers=3,
                         num_attention_heads=4, max_position_embeddings=20, hidden_act="quick_gelu", eos_token_id=2,
                         bos_token_id=0, pad_token_id=1),
        vision_config=dict(hidden_size=40, intermediate_size=84, projection_dim=24, num_hidden_layers=3, num_attention_heads=5,
                           image_size=20, patch_size=5, hidden_act="quick_gelu"),
        projection_dim=24)
    ids, mask = O.token_batch(1016, 95, 13, (13, 9, 6), "right", 96)
    for b, n in enumerate((13, 9, 6)):
        ids[b, n - 1] = 96  # EOT = largest id; padding uses the same id, as OpenAI's tokenizer does
    stacks = []
    for nm, L, H, sub in (("text", 3, 4, "text_model"), ("vision", 3, 5, "vision_model")):
        stacks.append(dict(name=nm, proj=sub + ".encoder.layers.{l}.self_attn.out_proj", layers=L, heads=H,
                           attentions=f"{nm}_model_output.attentions", hidden_states=f"{nm}_model_output.hidden_states",
                           query_mask="attention_mask" if nm == "text" else None))
    return dict(
        name="clip", kind="clip", cls="CLIPModel", config=cfg, seed=1016,
        inputs={"input_ids": ids, "attention_mask": mask, "pixel_values": pixels(1016, 2, 3, 20, 20)},
        outputs={"logits_per_image": "logits_per_image", "logits_per_text": "logits_per_text", "text_embeds": "text_embeds",
                 "image_embeds": "image_embeds", "text_last_hidden_state": "text_model_output.last_hidden_state",
                 "vision_last_hidden_state": "vision_model_output.last_hidden_state",
                 "text_pooler_output": "@text_pooler_output", "vision_pooler_output": "@vision_pooler_output"},
        captures={"text_pooler_output": ("text_projection", "input"), "vision_pooler_output": ("visual_projection", "input")},
        stacks=stacks, loss="sumsq", loss_on=["text_last_hidden_state", "vision_last_hidden_state"],
        ablate=[("text", 0, 1), ("text", 1, 3), ("text", 2, 0), ("vision", 0, 1), ("vision", 1, 4), ("vision", 2, 0)],
        ablate_outputs=["logits_per_image", "text_embeds", "image_embeds"],
        ablate_skip={("text", "image_embeds"): True, ("vision", "text_embeds"): True},
        generate=None, padding="right", rules=[(r"logit_scale", ("normal", 1.2, 0.05))],
        notes=["3 texts x 2 images", "text/vision_pooler_output here is the input of the projection (before projecting); "
               "transformers 5 overwrites text_model_output.pooler_output with the projected one"])


def case_whisper():
    cfg = T.WhisperConfig(vocab_size=61, num_mel_bins=8, d_model=24, encoder_layers=2, decoder_layers=2,
                          encoder_attention_heads=4, decoder_attention_heads=6, encoder_ffn_dim=40, decoder_ffn_dim=36,
                          max_source_positions=25, max_target_positions=32, pad_token_id=0, bos_token_id=1, eos_token_id=2,
                          decoder_start_token_id=3, init_std=0.25, suppress_tokens=None, begin_suppress_tokens=None,
                          scale_embedding=False, dropout=0.0, attention_dropout=0.0, activation_dropout=0.0)
    dec, _ = O.token_batch(1017, 61, 11, (11, 11), "right", 0)
    dec[:, 0] = 3
    labels = torch.cat([dec[:, 1:], O.token_batch(1117, 61, 1, (1, 1), "right", 0)[0]], 1)
    labels[1, 8:] = -100
    return O.encdec_case("whisper", "WhisperForConditionalGeneration", cfg, 24019,
                         {"input_features": O.randn((2, 8, 50), 1017, "feats", 0.8), "decoder_input_ids": dec}, labels,
                         ("model.encoder.layers.{l}.self_attn.out_proj", 2), ("model.decoder.layers.{l}.self_attn.out_proj", 2),
                         ("model.decoder.layers.{l}.encoder_attn.out_proj", 2), (4, 6), main_input="input_features", rules=emb(0.1))


T5R = [(r"(SelfAttention|EncDecAttention)\.q\.", ("gain", 0.75)), (r"relative_attention_bias", ("normal", 0.0, 1.0)),
       (r"shared", ("normal", 0.0, 0.3)), (r"decoder\.final_layer_norm\.weight", ("normal", 6.0, 1.0))]


def t5_inputs(seed, vocab):
    ids, mask = O.token_batch(seed, vocab, 13, (13, 9), "right", 0)
    labels, lm = O.token_batch(seed + 100, vocab, 10, (10, 7), "right", 0)
    labels[lm == 0] = -100
    dec = torch.zeros_like(labels)
    dec[:, 1:] = labels[:, :-1].masked_fill(labels[:, :-1] == -100, 0)
    return {"input_ids": ids, "attention_mask": mask, "decoder_input_ids": dec}, labels


def t5_case(name, seed, post=None, rules=(), **kw):
    cfg = T.T5Config(vocab_size=61, d_model=24, d_kv=5, d_ff=40, num_heads=4, relative_attention_num_buckets=8,
                     relative_attention_max_distance=10, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0,
                     dropout_rate=0.0, **kw)
    L, D = cfg.num_layers, cfg.num_decoder_layers
    inp, labels = t5_inputs(seed, 61)

    def leg(d):  # Hub files of T5 v1.1 / Flan-T5 say tie_word_embeddings: false and know no scale_decoder_outputs
        d.pop("scale_decoder_outputs", None)
        if "tie_word_embeddings" in kw:
            d["tie_word_embeddings"] = kw["tie_word_embeddings"]
    return O.encdec_case(name, "T5ForConditionalGeneration", cfg, seed, inp, labels,
                         ("encoder.block.{l}.layer.0.SelfAttention.o", L), ("decoder.block.{l}.layer.0.SelfAttention.o", D),
                         ("decoder.block.{l}.layer.1.EncDecAttention.o", D), (4, 4), padding="right",
                         rules=list(rules) + T5R, post_build=post, legacy=leg)


def case_t5():
    return t5_case("t5", 12018, num_layers=3, num_decoder_layers=2, feed_forward_proj="relu")


def case_t5_gated():
    def untie(model):
        model.lm_head.weight = torch.nn.Parameter(torch.zeros_like(model.lm_head.weight))
    return t5_case("t5_gated", 8019, post=untie, rules=[(r"lm_head", ("gain", 1.7)), (r"final_layer_norm", ("normal", 1.0, 0.25))], num_layers=2, num_decoder_layers=2,
                   feed_forward_proj="gated-gelu", tie_word_embeddings=False)


def bart_inputs(seed, vocab, pad, start, enc_len=13, dec_len=11, lens=(13, 8), dlens=(11, 8)):
    ids, mask = O.token_batch(seed, vocab, enc_len, lens, "right", pad)
    labels, lm = O.token_batch(seed + 100, vocab, dec_len, dlens, "right", pad)
    labels[lm == 0] = -100
    dec = torch.full_like(labels, pad)
    dec[:, 1:] = labels[:, :-1].masked_fill(labels[:, :-1] == -100, pad)
    dec[:, 0] = start
    return {"input_ids": ids, "attention_mask": mask, "decoder_input_ids": dec}, labels


def bart_like(name, cls, cfg, seed, inp, labels, **kw):
    return O.encdec_case(name, cls, cfg, seed, inp, labels,
                         ("model.encoder.layers.{l}.self_attn.out_proj", cfg.encoder_layers),
                         ("model.decoder.layers.{l}.self_attn.out_proj", cfg.decoder_layers),
                         ("model.decoder.layers.{l}.encoder_attn.out_proj", cfg.decoder_layers),
                         (cfg.encoder_attention_heads, cfg.decoder_attention_heads), padding="right", **kw)


def case_bart():
    cfg = T.BartConfig(vocab_size=61, d_model=24, encoder_layers=2, decoder_layers=3, encoder_attention_heads=4,
                       decoder_attention_heads=6, encoder_ffn_dim=40, decoder_ffn_dim=36, max_position_embeddings=32,
                       pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=None,
                       init_std=0.25, scale_embedding=False, activation_function="gelu", dropout=0.0)
    inp, labels = bart_inputs(1020, 61, 1, 2)
    return bart_like("bart", "BartForConditionalGeneration", cfg, 2023, inp, labels, pad_id=1, rules=POSTLN)


def case_marian():
    cfg = T.MarianConfig(vocab_size=61, d_model=24, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
                         decoder_attention_heads=4, encoder_ffn_dim=40, decoder_ffn_dim=36, max_position_embeddings=32,
                         pad_token_id=60, bos_token_id=0, eos_token_id=0, decoder_start_token_id=60, forced_eos_token_id=None,
                         init_std=0.25, scale_embedding=True, activation_function="swish", dropout=0.0,
                         share_encoder_decoder_embeddings=True)
    inp, labels = bart_inputs(1021, 60, 60, 60)
    return bart_like("marian", "MarianMTModel", cfg, 1021, inp, labels, pad_id=60,
                     rules=[(r"decoder\.layers.*self_attn\.out_proj\.weight", ("gain", 3.5)),
                            (r"decoder.*fc2\.weight", ("gain", 2.5)), (r"encoder_attn\.out_proj\.weight", ("gain", 0.6))]
                     + emb(0.25) + POSTLN)


def case_mbart():
    cfg = T.MBartConfig(vocab_size=61, d_model=24, encoder_layers=2, decoder_layers=2, encoder_attention_heads=3,
                        decoder_attention_heads=4, encoder_ffn_dim=40, decoder_ffn_dim=36, max_position_embeddings=32,
                        pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=60, forced_eos_token_id=None,
                        init_std=0.25, scale_embedding=True, activation_function="gelu", dropout=0.0)
    inp, labels = bart_inputs(1024, 60, 1, 2)
    # a text ends with the name of its language, and its decoder starts with it
    for b, n in enumerate((11, 8)):
        labels[b, n - 2], labels[b, n - 1] = 2, 60
    inp["decoder_input_ids"] = T.models.mbart.modeling_mbart.shift_tokens_right(labels, 1)
    return bart_like("mbart", "MBartForConditionalGeneration", cfg, 1024, inp, labels, pad_id=1, rules=emb(0.25))


def case_pegasus():
    cfg = T.PegasusConfig(vocab_size=61, d_model=24, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
                          decoder_attention_heads=3, encoder_ffn_dim=36, decoder_ffn_dim=40, max_position_embeddings=32,
                          pad_token_id=0, eos_token_id=1, decoder_start_token_id=0, forced_eos_token_id=None, init_std=0.25,
                          scale_embedding=True, activation_function="relu", dropout=0.0)
    inp, labels = bart_inputs(1025, 61, 0, 0)
    return bart_like("pegasus", "PegasusForConditionalGeneration", cfg, 1025, inp, labels, pad_id=0, rules=emb(0.25))


def case_llava():
    cfg = T.LlavaConfig(
        vision_config=T.CLIPVisionConfig(hidden_size=32, intermediate_size=68, projection_dim=24, num_hidden_layers=3,
                                         num_attention_heads=4, image_size=20, patch_size=5, hidden_act="quick_gelu"),
        text_config=T.LlamaConfig(vocab_size=101, hidden_size=40, intermediate_size=84, num_hidden_layers=3,
                                  num_attention_heads=5, num_key_value_heads=5, max_position_embeddings=96,
                                  rope_parameters=rope(10000.0), rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
                                  pad_token_id=0, tie_word_embeddings=False),
        image_token_id=100, image_seq_length=16, vision_feature_layer=-2, vision_feature_select_strategy="default",
        projector_hidden_act="gelu", tie_word_embeddings=False)
    g = O.gen(1022, "ids")
    ids = torch.randint(5, 99, (2, 26), generator=g)
    ids[0, 3:19] = 100
    mask = torch.ones_like(ids)
    ids[1, :4], mask[1, :4] = 0, 0
    ids[1, 6:22] = 100

    case = O.causal_case("llava", "LlavaForConditionalGeneration", cfg, 1022, "model.language_model.layers.{l}.self_attn.o_proj",
                         3, 5, "model.language_model.norm", "left", ids=(ids, mask),
                         outputs={"image_features": "image_hidden_states"}, position_ids=False)
    case["inputs"]["pixel_values"] = pixels(1022, 2, 3, 20, 20)
    case["notes"] = ["stack 'vision' is the CLIP tower inside the same forward pass; only layers 0 and 1 are recorded: "
                     "vision_feature_layer=-2 makes the third (last) vision layer dead weight",
                     "vision_hidden_states.{0,1,2} = after pre_layrnorm, after layer 0, after layer 1 (the one that is projected)"]
    case["stacks"].append(dict(name="vision", proj="model.vision_tower.encoder.layers.{l}.self_attn.out_proj", layers=2, heads=4,
                               attentions="hook:model.vision_tower.encoder.layers.{l}.self_attn",
                               hidden_states="hook:model.vision_tower.encoder.layers.{l}", query_mask=None))
    case["ablate"] += [("vision", 0, 1), ("vision", 1, 3)]
    # llava-hf/llava-1.5-* carry an extra ".vision_model" level that transformers 5 strips when it saves
    case["rename"] = lambda sd: {re.sub(r"^vision_tower\.", "vision_tower.vision_model.", k): v for k, v in sd.items()}

    def leg(d):
        d["text_config"] = O.v4_syntax(d["text_config"])
        d["text_config"].pop("head_dim", None)
        O.v4_syntax(d["vision_config"])
    case["legacy"] = leg
    return case


def case_deberta_v2():
    cfg = T.DebertaV2Config(vocab_size=61, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=52,
                            max_position_embeddings=32, type_vocab_size=2, relative_attention=True, position_buckets=8,
                            max_relative_positions=-1, pos_att_type=["p2c", "c2p"], share_att_key=True, norm_rel_ebd="layer_norm",
                            position_biased_input=False, conv_kernel_size=3, conv_act="gelu", pad_token_id=0,
                            hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    return O.encoder_case("deberta_v2", "DebertaV2ForMaskedLM", cfg, 1024, "deberta.encoder.layer.{l}.attention.output.dense", 3, 4,
                          enc_inputs(1024, 61, 15, (15, 10), 0, types=True), base="deberta", outputs={"logits": "logits"},
                          padding="right",
                          rules=[(r"(query_proj|key_proj)\.weight", ("gain", 1.4)), (r"conv\.conv\.weight", ("gain", 1.0))] + POSTLN,
                          notes=["log buckets, shared projections of positions, convolution after the first layer (as in v2)"])


def case_deberta_plain():
    cfg = T.DebertaV2Config(vocab_size=61, hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
                            max_position_embeddings=20, type_vocab_size=0, relative_attention=True, position_buckets=-1,
                            max_relative_positions=6, pos_att_type=["p2c", "c2p"], share_att_key=False, norm_rel_ebd="none",
                            position_biased_input=True, pad_token_id=0, legacy=False)
    return O.encoder_case("deberta_plain", "DebertaV2Model", cfg, 1025, "encoder.layer.{l}.attention.output.dense", 2, 3,
                          enc_inputs(1025, 61, 13, (13, 8), 0, side="left"), padding="left",
                          ablate=[("", 0, 1), ("", 1, 2)], rules=POSTLN,
                          notes=["no buckets, own projections of positions, absolute positions as well, no convolution"])


def case_modernbert():
    cfg = T.ModernBertConfig(vocab_size=61, hidden_size=32, intermediate_size=44, num_hidden_layers=3, num_attention_heads=4,
                             max_position_embeddings=48, local_attention=6, pad_token_id=0, bos_token_id=1, eos_token_id=2,
                             cls_token_id=1, sep_token_id=2, reference_compile=False,
                             layer_types=["full_attention", "sliding_attention", "sliding_attention"])

    def leg(d):
        rp = d.pop("rope_parameters", None) or d.pop("_rope", None)
        d.pop("layer_types", None)
        d["global_rope_theta"] = rp["full_attention"]["rope_theta"]
        d["local_rope_theta"] = rp["sliding_attention"]["rope_theta"]
        d["global_attn_every_n_layers"] = 3
    return O.encoder_case("modernbert", "ModernBertForMaskedLM", cfg, 1026, "model.layers.{l}.attn.Wo", 3, 4,
                          enc_inputs(1026, 61, 17, (17, 9), 0), outputs={"logits": "logits"},
                          captures={"resid_final": ("model.final_norm", "input"), "last_hidden_state": ("model.final_norm", "output")},
                          base="model", padding="right", legacy=leg, gain=1.2,
                          notes=["layer 0 reads the embeddings without a norm; window of 3 keys on each side in layers 1 and 2"])


def case_dinov2():
    cfg = T.Dinov2Config(hidden_size=24, num_hidden_layers=3, num_attention_heads=3, mlp_ratio=2, image_size=20, patch_size=5,
                         num_channels=3, use_swiglu_ffn=False, num_labels=5, layerscale_value=1.0)
    return O.encoder_case("dinov2", "Dinov2ForImageClassification", cfg, 1027, "dinov2.encoder.layer.{l}.attention.o_proj", 3, 3,
                          {"pixel_values": pixels(1027, 2, 3, 20, 20)}, base="dinov2", outputs={"logits": "logits"},
                          main_input="pixel_values", rules=[(r"lambda1", ("normal", 0.9, 0.25))])


def case_dinov2_swiglu():
    cfg = T.Dinov2Config(hidden_size=24, num_hidden_layers=2, num_attention_heads=4, mlp_ratio=2, image_size=20, patch_size=5,
                         num_channels=3, use_swiglu_ffn=True, layerscale_value=1.0)
    return O.encoder_case("dinov2_swiglu", "Dinov2Model", cfg, 1028, "encoder.layer.{l}.attention.o_proj", 2, 4,
                          {"pixel_values": pixels(1028, 2, 3, 15, 25)}, outputs={"pooler_output": "pooler_output"},
                          main_input="pixel_values", ablate=[("", 0, 1), ("", 1, 3)], rules=[(r"lambda1", ("normal", 0.9, 0.25))],
                          notes=["gated MLP; 15 x 25 pixels where 20 x 20 were trained: positions are interpolated"])


def case_siglip():
    cfg = T.SiglipConfig(
        text_config=dict(vocab_size=61, hidden_size=24, intermediate_size=52, num_hidden_layers=2, num_attention_heads=3,
                         max_position_embeddings=12, bos_token_id=1, eos_token_id=2, pad_token_id=2),
        vision_config=dict(hidden_size=24, intermediate_size=52, num_hidden_layers=2, num_attention_heads=4, image_size=20, patch_size=5))
    ids, mask = O.token_batch(1029, 61, 12, (12, 8, 5), "right", 2)
    stacks = []
    for nm, L, H, sub in (("text", 2, 3, "text_model"), ("vision", 2, 4, "vision_model")):
        stacks.append(dict(name=nm, proj=sub + ".encoder.layers.{l}.self_attn.out_proj", layers=L, heads=H,
                           attentions=f"{nm}_model_output.attentions", hidden_states=f"{nm}_model_output.hidden_states",
                           query_mask="attention_mask" if nm == "text" else None))
    return dict(
        name="siglip", kind="clip", cls="SiglipModel", config=cfg, seed=1029,
        inputs={"input_ids": ids, "attention_mask": mask, "pixel_values": pixels(1029, 2, 3, 20, 20)},
        outputs={"logits_per_image": "logits_per_image", "logits_per_text": "logits_per_text", "text_embeds": "text_embeds",
                 "image_embeds": "image_embeds", "text_last_hidden_state": "text_model_output.last_hidden_state",
                 "vision_last_hidden_state": "vision_model_output.last_hidden_state"},
        stacks=stacks, loss="sumsq", loss_on=["text_last_hidden_state", "vision_last_hidden_state"],
        ablate=[("text", 0, 1), ("text", 1, 2), ("vision", 0, 1), ("vision", 1, 3)],
        ablate_outputs=["logits_per_image", "text_embeds", "image_embeds"],
        ablate_skip={("text", "image_embeds"): True, ("vision", "text_embeds"): True},
        generate=None, padding="right",
        rules=[(r"logit_scale", ("normal", 1.2, 0.05)), (r"logit_bias", ("normal", -0.4, 0.05)),
               (r"in_proj_weight|probe", ("gain", 1.7))],
        notes=["3 texts x 2 images; the pooled text is the last position, padding or not"])


# Families that came later: narrower models, so that a case stays small.
SMALL = dict(vocab_size=67, hidden_size=32, num_hidden_layers=3, num_attention_heads=4, max_position_embeddings=64,
             bos_token_id=1, eos_token_id=2, pad_token_id=0, initializer_range=0.25)


def small(name, cls, cfg, seed, final_norm="model.norm", side="left", proj="model.layers.{l}.self_attn.o_proj", heads=4, **kw):
    return O.causal_case(name, cls, cfg, seed, proj, 3, heads, final_norm, side, **kw)


def case_bloom():
    cfg = T.BloomConfig(vocab_size=67, hidden_size=24, n_layer=3, n_head=6, layer_norm_epsilon=1e-5, bos_token_id=1, eos_token_id=2,
                        pad_token_id=3, initializer_range=0.25)
    return small("bloom", "BloomForCausalLM", cfg, 1101, "transformer.ln_f", proj="transformer.h.{l}.self_attention.dense", heads=6,
                 pad_id=3, position_ids=False, rules=emb(0.25) + [(r"word_embeddings\.weight$", ("normal", 0.0, 0.25))],
                 notes=["six heads: slopes beyond a power of two"])


def falcon(name, seed, heads=4, position_ids=True, rules=(), **kw):
    cfg = T.FalconConfig(**{**SMALL, "num_attention_heads": heads, **kw})
    return small(name, "FalconForCausalLM", cfg, seed, "transformer.ln_f", proj="transformer.h.{l}.self_attention.dense", heads=heads,
                 position_ids=position_ids, kv_heads=cfg.num_kv_heads if cfg.new_decoder_architecture else 1 if cfg.multi_query else heads,
                 rules=[(r"word_embeddings\.weight$", ("normal", 0.0, 0.25)), *rules])


def case_falcon():
    return falcon("falcon", 1102)


def case_falcon_new():
    return falcon("falcon_new", 1103, num_kv_heads=2, new_decoder_architecture=True, tie_word_embeddings=False)


def case_falcon_alibi():
    case = falcon("falcon_alibi", 1104, heads=6, position_ids=False, hidden_size=24, ffn_hidden_size=80, alibi=True, bias=True,
                  multi_query=False, parallel_attn=False)
    case["notes"] = ["six heads: slopes and their multiples are rounded to bfloat16 by the reference",
                     "eager attention of transformers 5.23 adds the bias twice, once with the mask; recorded is once, as its sdpa path has it"]

    def once(model):
        """Takes the second bias out of eager attention."""
        for block in model.transformer.h:
            def forward(*args, inner=block.self_attention.forward, **kw):
                return inner(*args, **{**kw, "alibi": torch.zeros_like(kw["alibi"])})
            block.self_attention.forward = forward
    case["post_build"] = once

    def agrees(model):
        sdpa = T.FalconForCausalLM._from_config(model.config, attn_implementation="sdpa").eval()
        sdpa.load_state_dict(model.state_dict())
        with torch.no_grad():
            ids = case["inputs"]["input_ids"][:1]
            assert O.maxdiff(model(ids, output_attentions=True).logits, sdpa(ids).logits) < 2e-5
    case["post_check"] = agrees
    return case


def case_mixtral():
    cfg = T.MixtralConfig(**SMALL, intermediate_size=24, num_key_value_heads=2, num_local_experts=4, num_experts_per_tok=2,
                          sliding_window=6, rope_parameters=rope(10000.0))
    return small("mixtral", "MixtralForCausalLM", cfg, 1105, kv_heads=2, legacy=without("head_dim"))


GEMMA = [(r"model\.norm\.weight$", ("normal", 8.0, 1.0)), (r"norm\.weight$", ("normal", 0.0, 0.3)), (r"embed_tokens", ("normal", 0.0, 0.05))]


def case_gemma():
    cfg = T.GemmaConfig(**{**SMALL, "bos_token_id": 2, "eos_token_id": 1}, intermediate_size=72, num_key_value_heads=1, head_dim=12,
                        rope_parameters=rope(10000.0))
    return small("gemma", "GemmaForCausalLM", cfg, 1106, kv_heads=1, rules=GEMMA)


def case_gemma3():
    cfg = T.Gemma3TextConfig(**{**SMALL, "bos_token_id": 2, "eos_token_id": 1}, intermediate_size=72, num_key_value_heads=2, head_dim=12,
                             sliding_window=4, query_pre_attn_scalar=20, layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                             rope_parameters={"sliding_attention": rope(100.0),
                                              "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 5000.0}})

    def leg(d):
        layers = d.pop("_rope")
        d["rope_theta"], d["rope_local_base_freq"] = layers["full_attention"]["rope_theta"], layers["sliding_attention"]["rope_theta"]
        d["rope_scaling"] = {"rope_type": "linear", "factor": layers["full_attention"]["factor"]}
    return small("gemma3", "Gemma3ForCausalLM", cfg, 1107, kv_heads=2,
                 rules=[(r"[qk]_norm\.weight$", ("normal", 0.9, 0.4))] + GEMMA, legacy=leg)


def case_olmo():
    cfg = T.OlmoConfig(**SMALL, intermediate_size=72, num_key_value_heads=2, clip_qkv=1.5, rope_parameters=rope(10000.0))
    return small("olmo", "OlmoForCausalLM", cfg, 1108, kv_heads=2)


def case_olmo2():
    cfg = T.Olmo2Config(**SMALL, intermediate_size=72, num_key_value_heads=2, rope_parameters=rope(10000.0))
    return small("olmo2", "Olmo2ForCausalLM", cfg, 1109, kv_heads=2, rules=[QKN])


def case_granite():
    cfg = T.GraniteConfig(**SMALL, intermediate_size=72, num_key_value_heads=2, embedding_multiplier=3.0, attention_multiplier=0.4,
                          residual_multiplier=0.7, logits_scaling=1.6, rope_parameters=rope(10000.0))
    return small("granite", "GraniteForCausalLM", cfg, 1110, kv_heads=2)


def case_stablelm():
    cfg = T.StableLmConfig(**SMALL, intermediate_size=72, num_key_value_heads=2, use_qkv_bias=True,
                           rope_parameters=rope(10000.0, partial_rotary_factor=0.5))
    return small("stablelm", "StableLmForCausalLM", cfg, 1111, kv_heads=2, gain=1.4)


def case_stablelm_parallel():
    cfg = T.StableLmConfig(**SMALL, intermediate_size=72, num_key_value_heads=2, qk_layernorm=True, use_parallel_residual=True,
                           rope_parameters=rope(10000.0, partial_rotary_factor=0.25))
    return small("stablelm_parallel", "StableLmForCausalLM", cfg, 1112, kv_heads=2, rules=[(r"[qk]_layernorm\.", ("normal", 1.8, 0.5))])


def case_phi():
    cfg = T.PhiConfig(**SMALL, intermediate_size=72, num_key_value_heads=2, qk_layernorm=True,
                      rope_parameters=rope(10000.0, partial_rotary_factor=0.5))
    return small("phi", "PhiForCausalLM", cfg, 1113, "model.final_layernorm", rules=[(r"[qk]_layernorm\.weight", ("normal", 1.8, 0.5))], proj="model.layers.{l}.self_attn.dense", kv_heads=2)


def case_llama_yarn():
    cfg = T.LlamaConfig(**SMALL, intermediate_size=72, num_key_value_heads=2, rope_parameters={
        "rope_type": "yarn", "rope_theta": 100.0, "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 4.0, "beta_slow": 0.5})
    return small("llama_yarn", "LlamaForCausalLM", cfg, 1114, kv_heads=2, gain=1.3, legacy=without("head_dim"))


def case_phi3_long():
    cfg = T.Phi3Config(**SMALL, intermediate_size=72, num_key_value_heads=2, original_max_position_embeddings=8, rope_parameters={
        "rope_type": "longrope", "rope_theta": 100.0, "short_factor": [1.0, 1.1, 1.2, 1.3], "long_factor": [1.0, 1.5, 2.5, 5.0]})
    return small("phi3_long", "Phi3ForCausalLM", cfg, 1115, kv_heads=2, gain=1.4,
                 notes=["every prompt is longer than original_max_position_embeddings: the long factors hold from the first step"])


def case_gpt_oss():
    cfg = T.GptOssConfig(**SMALL, intermediate_size=20, num_key_value_heads=2, head_dim=8, num_local_experts=4, num_experts_per_tok=2,
                         sliding_window=4, swiglu_limit=1.5, rope_parameters={
                             "rope_type": "yarn", "rope_theta": 150.0, "factor": 4.0, "original_max_position_embeddings": 16,
                             "beta_fast": 4.0, "beta_slow": 0.5, "truncate": False})
    return small("gpt_oss", "GptOssForCausalLM", cfg, 1116, kv_heads=2, rules=[(r"sinks$", ("normal", 0.5, 1.0))],
                 notes=["attention sinks: one more logit per head; experts with a clamped gate, of which the limit is often met"])


CASES = [case_gpt2, case_gpt_neo, case_gpt_neox, case_llama, case_llama_rope3, case_mistral, case_qwen2, case_qwen3, case_gemma2, case_phi3,
         case_opt, case_bert, case_bert_model, case_distilbert, case_roberta, case_vit, case_clip, case_whisper, case_t5,
         case_t5_gated, case_bart, case_mbart, case_marian, case_pegasus, case_llava,
         case_deberta_v2, case_deberta_plain, case_modernbert, case_dinov2, case_dinov2_swiglu, case_siglip,
         case_bloom, case_falcon, case_falcon_new, case_falcon_alibi, case_mixtral, case_gemma, case_gemma3, case_olmo, case_olmo2,
         case_granite, case_stablelm, case_stablelm_parallel, case_phi, case_llama_yarn, case_phi3_long, case_gpt_oss]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--out", default=os.path.join(HERE, "models"))
    ap.add_argument("cases", nargs="*")
    a = ap.parse_args()
    os.makedirs(a.out, exist_ok=True)
    bad = []
    for fn in CASES:
        name = fn.__name__[len("case_"):]
        if a.cases and name not in a.cases:
            continue
        t = time.time()
        try:
            meta = O.make_case(fn(), a.out)
            size = sum(os.path.getsize(os.path.join(r, f)) for r, _, fs in os.walk(os.path.join(a.out, name)) for f in fs)
            c = meta["checks"]
            print(f"{name:14s} {size/1e6:5.2f} MB {time.time()-t:5.1f}s", json.dumps(c["entropy"]),
                  "abl>=", min(c["ablation_max_abs_diff"].values()), "margin", c["generated_min_margin"],
                  "f64", c["fp32_vs_fp64_max_abs_diff"], flush=True)
        except Exception as e:  # noqa: BLE001
            import traceback
            traceback.print_exc()
            bad.append((name, f"{type(e).__name__}: {e}"))
    for b in bad:
        print("FAILED", *b)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
