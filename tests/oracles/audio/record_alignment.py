"""Alignments of tokens with frames by transformers' own functions for Whisper's token timestamps.

python tests/oracles/audio/record_alignment.py > tests/oracles/audio/alignment.json
"""

import json

import numpy as np
import torch
import transformers
from transformers.models.whisper.generation_whisper import _dynamic_time_warping, _median_filter

generator = np.random.default_rng(3)
cases = []
for tokens, frames in [(5, 24), (7, 30), (1, 12), (4, 3)]:
    scores = generator.normal(size=(2, tokens, frames))
    for token in range(tokens):
        middle = (token + 0.5) * frames / tokens
        scores[:, token] += 2 * np.exp(-(((np.arange(frames) - middle) / 2) ** 2))
    heads = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    heads = np.round(heads, 5)
    weights = torch.tensor(heads)[None]
    std = torch.std(weights, dim=-2, keepdim=True, unbiased=False)
    mean = torch.mean(weights, dim=-2, keepdim=True)
    normal = torch.where(std > 0, (weights - mean) / std, torch.zeros_like(weights))
    matrix = _median_filter(normal, 7).mean(dim=1)[0].numpy()
    text, time = _dynamic_time_warping(-matrix)
    jumps = np.pad(np.diff(text), (1, 0), constant_values=1).astype(bool)
    cases.append({"tokens": tokens, "frames": frames, "heads": heads.reshape(2, -1).tolist(), "starts": time[jumps].tolist()})

print(json.dumps({"source": f"transformers {transformers.__version__}, seed 3", "cases": cases}, separators=(",", ":")))
