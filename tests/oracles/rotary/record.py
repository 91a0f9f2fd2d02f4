#!/usr/bin/env python3
"""Frequencies and magnitudes of transformers' rotary scalings:  python record.py > frequencies.json

One row per scaling and length: the attributes, the head's size, `max_position_embeddings`, how many positions a text has,
and what a fresh model turns it by.
"""
import json
import sys

import torch
import transformers
from transformers import LlamaConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

YARN = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 64}
LONG = {"rope_type": "longrope", "rope_theta": 10000.0, "original_max_position_embeddings": 16,
        "short_factor": [1.0, 1.05, 1.1, 1.2, 1.4, 1.5, 1.7, 2.0], "long_factor": [1.0, 1.5, 2.0, 3.0, 6.0, 12.0, 24.0, 48.0]}
LLAMA3 = {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
CASES = [
    ({"rope_type": "default", "rope_theta": 10000.0}, 256, [8]),
    ({"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}, 256, [8]),
    ({"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0}, 32, [8, 32, 33, 48, 128]),
    ({**LLAMA3, "original_max_position_embeddings": 8192}, 131072, [8]),
    (LLAMA3, 64, [8]),
    (YARN, 256, [8, 100]),
    ({**YARN, "beta_fast": 8.0, "beta_slow": 2.0}, 256, [8]),
    ({**YARN, "truncate": False}, 256, [8]),
    ({**YARN, "attention_factor": 0.75}, 256, [8]),
    ({**YARN, "mscale": 0.7, "mscale_all_dim": 1.3}, 256, [8]),
    ({**YARN, "factor": 1.0}, 64, [8]),
    (LONG, 64, [8, 16, 17, 40]),
    ({**LONG, "factor": 8.0}, 64, [40]),
    ({**LONG, "attention_factor": 1.25}, 64, [8]),
]

rows = []
for parameters, positions, lengths in CASES:
    for length in lengths:
        config = LlamaConfig(hidden_size=64, num_attention_heads=4, max_position_embeddings=positions, rope_parameters=dict(parameters))
        rotary = LlamaRotaryEmbedding(config)
        cos, sin = rotary(torch.zeros(1), torch.arange(length)[None])
        rows.append({"parameters": parameters, "headDim": 16, "positions": positions, "length": length,
                     "frequencies": rotary.inv_freq.tolist(), "magnitude": float(rotary.attention_scaling),
                     "cos": cos[0, -1, :8].tolist(), "sin": sin[0, -1, :8].tolist()})
json.dump({"transformers": transformers.__version__, "torch": torch.__version__, "rows": rows}, sys.stdout, separators=(",", ":"))
print()
