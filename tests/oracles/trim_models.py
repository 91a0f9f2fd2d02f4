#!/usr/bin/env python3
"""Keep of the recorded cases what the tests read:  python trim_models.py RECORDED_DIR OUT_DIR [case ...]

Of the ablated heads one stays per case; of its mean ablations those over real positions for causal models, the last
hidden state for others. Of an encoder-decoder model one head stays per stack, and the mean over real positions where
there is padding. `posids.logits` stays where a batch is padded on the left (elsewhere the positions are those of
the plain run), `generated.logits` where the vocabulary is small. Of `llama` the tokenizer stays: its blocks are those of
`llama_rope3`. Numbers are copied byte for byte.
"""
from __future__ import annotations

import json
import os
import re
import shutil
import struct
import sys

CASES = ["gpt2", "gpt_neox", "llama", "llama_rope3", "mistral", "qwen2", "qwen3", "gemma2", "phi3", "opt",
         "bert", "bert_model", "distilbert", "roberta", "gpt_neo",
         "deberta_v2", "deberta_plain", "modernbert",
         "bloom", "falcon", "falcon_new", "falcon_alibi", "mixtral", "gemma", "gemma3", "olmo", "olmo2", "granite", "stablelm",
         "stablelm_parallel", "phi", "llama_yarn", "phi3_long", "gpt_oss",
         "bart", "mbart", "marian", "pegasus", "t5", "t5_gated", "whisper",
         "vit", "dinov2", "dinov2_swiglu", "clip", "siglip", "llava"]
PLAIN = ["config.json", "config.legacy.json", "generation_config.json", "model.safetensors", "tokenizer.json",
         "tokenizer_config.json"]

TOKENS = ["text", "ids_with_special", "offsets_with_special", "offsets", "offsets_utf16", "decoded_skip_special"]


def read(path):
    with open(path, "rb") as f:
        data = f.read()
    (n,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + n])
    header.pop("__metadata__", None)
    return {k: (v, data[8 + n + v["data_offsets"][0] : 8 + n + v["data_offsets"][1]]) for k, v in header.items()}


def write(path, tensors):
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name, (entry, data) in tensors.items():
        header[name] = {"dtype": entry["dtype"], "shape": entry["shape"], "data_offsets": [at, at + len(data)]}
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(data for _, data in tensors.values()))


def trim(source, target, index):
    os.makedirs(target, exist_ok=True)
    with open(os.path.join(source, "meta.json"), encoding="utf-8") as f:
        meta = json.load(f)
    only_tokenizer = meta["case"] == "llama"
    for name in PLAIN:
        if os.path.exists(os.path.join(source, name)) and (not only_tokenizer or name.startswith("tokenizer")):
            shutil.copyfile(os.path.join(source, name), os.path.join(target, name))
    if os.path.exists(os.path.join(source, "tokens.json")):
        with open(os.path.join(source, "tokens.json"), encoding="utf-8") as f:
            tokens = json.load(f)
        tokens["strings"] = [{k: s[k] for k in TOKENS} for s in tokens["strings"]]
        with open(os.path.join(target, "tokens.json"), "w", encoding="utf-8") as f:
            json.dump(tokens, f, ensure_ascii=True, separators=(",", ":"))
            f.write("\n")
    if only_tokenizer:
        return
    heads = meta["ablated_heads"]
    kept = heads[index % len(heads)]
    causal = meta["kind"] == "causal"
    if meta["kind"] == "encdec":
        return trim_pair(source, target, meta, index)

    def stays(name):
        ablated = re.match(r"(ablate_\w+)\.(\d+)\.(\d+)\.(\w+)$", name)
        if ablated:
            kind, layer, head, what = ablated.groups()
            mine = int(layer) == kept["layer"] and int(head) == kept["head"] and what != "value"
            if causal:
                return mine and kind != "ablate_mean"
            return mine and (kind == "ablate_zero" or what == "last_hidden_state")
        if name == "generated.logits":  # as wide as the vocabulary: small ones only
            return tensors[name][0]["shape"][2] < 200
        return not (name == "posids.logits" and meta["padding"] != "left")

    def stays_in_stack(name):
        """Of a model with several stacks: one head of each, and what its own stack's outputs become."""
        ablated = re.match(r"(ablate_\w+)\.(\w*?)\.?(\d+)\.(\d+)\.(\w+)$", name)
        if not ablated:
            return name != "generated.logits"
        kind, stack, layer, head, what = ablated.groups()
        mine = any((h["stack"], h["layer"], h["head"]) == (stack, int(layer), int(head)) for h in chosen)
        return mine and what != "value" and not (kind == "ablate_mean" and "ablate_mean_valid" + name[len(kind):] in tensors)

    tensors = read(os.path.join(source, "io.safetensors"))
    chosen = [kept]
    if len(meta["stacks"]) > 1:
        chosen = [next(h for h in heads if h["stack"] == s["name"] and h["layer"] > 0) for s in meta["stacks"]]
        stays = stays_in_stack
    write(os.path.join(target, "io.safetensors"), {k: v for k, v in tensors.items() if stays(k)})
    meta["ablated_heads"] = chosen
    with open(os.path.join(target, "meta.json"), "w", encoding="utf-8") as f:
        json.dump(meta, f, indent=1)
        f.write("\n")


def trim_pair(source, target, meta, index):
    tensors = read(os.path.join(source, "io.safetensors"))
    kept = []
    for stack in ("encoder", "decoder", "cross"):
        heads = [head for head in meta["ablated_heads"] if head["stack"] == stack]
        kept.append(heads[index % len(heads)])

    def stays(name):
        ablated = re.match(r"(ablate_\w+)\.(\w+)\.(\d+)\.(\d+)\.(\w+)$", name)
        if not ablated:
            return True
        kind, stack, layer, head, what = ablated.groups()
        mine = {"stack": stack, "layer": int(layer), "head": int(head)} in kept and what != "value"
        over_real = name.replace("ablate_mean.", "ablate_mean_valid.")
        return mine and not (kind == "ablate_mean" and over_real in tensors)

    write(os.path.join(target, "io.safetensors"), {k: v for k, v in tensors.items() if stays(k)})
    meta["ablated_heads"] = kept
    with open(os.path.join(target, "meta.json"), "w", encoding="utf-8") as f:
        json.dump(meta, f, indent=1)
        f.write("\n")


if __name__ == "__main__":
    recorded, out, *chosen = sys.argv[1:]
    for i, case in enumerate(CASES):
        if not chosen or case in chosen:
            trim(os.path.join(recorded, case), os.path.join(out, case), i)
