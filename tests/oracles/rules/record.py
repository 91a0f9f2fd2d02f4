#!/usr/bin/env python3
"""Greedy texts of recorded models under the rules of a generation_config.json:  python record.py

Writes texts.json: per case the model of ../models, the generation config, and the new tokens of each prompt.
"""
import json
import os

import torch
import transformers as T
from safetensors.torch import load_file
from transformers.generation import GenerationMixin

HERE = os.path.dirname(os.path.abspath(__file__))
NEW = 8
CASES = [
    ("bart", {}),
    ("bart", {"forced_bos_token_id": 11}),
    ("bart", {"forced_eos_token_id": 2}),
    ("bart", {"forced_bos_token_id": 11, "forced_eos_token_id": 2, "suppress_tokens": [7, 20], "begin_suppress_tokens": [15]}),
    ("bart", {"repetition_penalty": 1.7}),
    ("bart", {"no_repeat_ngram_size": 2}),
    ("bart", {"min_length": 6, "eos_token_id": 2}),
    ("marian", {"forced_eos_token_id": 0, "no_repeat_ngram_size": 1}),
    ("whisper", {}),
    ("whisper", {"no_repeat_ngram_size": 1}),
    ("whisper", {"repetition_penalty": 2.5, "min_new_tokens": 7}),
    ("gpt2", {"repetition_penalty": 1.4, "no_repeat_ngram_size": 2}),
]


def written(name, rules, eos):
    folder = os.path.join(HERE, "..", "models", name)
    config = T.AutoConfig.from_pretrained(folder)
    model = getattr(T, config.architectures[0]).from_pretrained(folder, attn_implementation="eager").eval()
    io = load_file(os.path.join(folder, "io.safetensors"))
    given = {k: io[k] for k in ("input_ids", "attention_mask") if k in io}
    if "input_features" in io:
        given = {"input_features": io["input_features"]}
    pad = config.pad_token_id if config.pad_token_id is not None else 0
    base = {"max_new_tokens": NEW, "do_sample": False, "num_beams": 1, "pad_token_id": pad, "eos_token_id": eos}
    start = getattr(model.generation_config, "decoder_start_token_id", None) or getattr(config, "decoder_start_token_id", None)
    if config.is_encoder_decoder:
        base["decoder_start_token_id"] = start
    settings = T.GenerationConfig(**{**base, **rules})
    with torch.no_grad():
        out = GenerationMixin.generate(model, **given, generation_config=settings)
    out = out[:, 1:] if config.is_encoder_decoder else out[:, given["input_ids"].shape[1]:]
    rows = []
    for row in out.tolist():
        ends = [eos] if isinstance(eos, int) else eos or []
        cut = next((i + 1 for i, id in enumerate(row) if id in ends), len(row))
        rows.append(row[:cut])
    return rows


def main():
    cases = []
    free = {}
    for name, rules in CASES:
        # The token that ends a text is one that the free text does not begin with.
        eos = rules.get("eos_token_id", 2)
        free.setdefault(name, written(name, {}, eos))
        cases.append({"model": name, "rules": rules, "eos": eos, "ids": written(name, rules, eos)})
    # Rules that name what the free texts hold: these move them for sure.
    for name in ("bart", "whisper", "gpt2"):
        row = free[name][0]
        for rules in (
            {"suppress_tokens": sorted(set(row[1:4]))},
            {"begin_suppress_tokens": [row[0]]},
            {"begin_suppress_tokens": [row[0]], "forced_bos_token_id": row[1]},
            {"bad_words_ids": [[row[0]], row[1:3]]},
        ):
            cases.append({"model": name, "rules": rules, "eos": 2, "ids": written(name, rules, 2)})
    out = {"transformers": T.__version__, "torch": torch.__version__, "newTokens": NEW, "cases": cases}
    with open(os.path.join(HERE, "texts.json"), "w", encoding="utf-8") as f:
        f.write("{\n" + ",\n".join(f'"{k}": {json.dumps(v)}' for k, v in out.items() if k != "cases"))
        f.write(',\n"cases": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]\n}\n")


main()
