"""One side of loading.bench.mjs: seconds, and bytes of memory above those before the load, at the peak."""
import json
import re
import sys
import time

import torch
from transformers import LlamaForCausalLM
from transformers.utils import logging

logging.disable_progress_bar()


def kilobytes(key):
    return int(re.search(rf"{key}:\s+(\d+)", open("/proc/self/status").read()).group(1))


before = kilobytes("VmRSS")
start = time.perf_counter()
model = LlamaForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
loaded = time.perf_counter() - start
with torch.no_grad():
    logits = model(torch.tensor([[1, 2, 3, 4]])).logits
ran = time.perf_counter() - start
peak = (kilobytes("VmHWM") - before) * 1024
print(json.dumps(dict(loaded=loaded, ran=ran, peak=peak, logit=logits[0, 3, 5].item())))
