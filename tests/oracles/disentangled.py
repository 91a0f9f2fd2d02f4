#!/usr/bin/env python3
"""Rows of relative positions of DeBERTa v2 and v3 at full size:  python disentangled.py > disentangled.json"""
import json

import torch
import transformers
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

distances = torch.arange(-511, 512)
cases = [{"buckets": b, "farthest": f,
          "rows": torch.clamp(make_log_bucket_position(distances, b, f).to(torch.long) + b, 0, 2 * b - 1).tolist()}
         for b, f in ((256, 512), (32, 128))]
print(json.dumps({"transformers": transformers.__version__, "torch": torch.__version__, "first": -511, "cases": cases},
                 separators=(",", ":")))
