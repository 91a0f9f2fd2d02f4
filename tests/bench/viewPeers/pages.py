"""Writes the pages that BertViz and CircuitsVis make of the same attention: pages.py <folder> <bertviz|circuitsvis> <layers> <html>

<folder>/tokens.json holds the tokens, <folder>/attention.f32 12 heads per layer, [layers * 12, T, T] in float32. Scripts that
BertViz asks of a CDN are asked of scripts/ beside the page instead; CircuitsVis brings its own for machines without a network.
"""

import json
import sys
from pathlib import Path

import numpy as np

folder, peer, layers, out = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
tokens = json.loads((folder / "tokens.json").read_text())
attention = np.fromfile(folder / "attention.f32", dtype=np.float32)
attention = attention.reshape(-1, 12, len(tokens), len(tokens))[:layers]

if peer == "bertviz":
    import torch
    from bertviz import head_view

    html = head_view([torch.from_numpy(heads)[None] for heads in attention], tokens, html_action="return").data
    cdn = "https://cdnjs.cloudflare.com/ajax/libs/"
    for far, near in {
        "require.js/2.3.6/require.min.js": "requirejs/require.js",
        "d3/5.7.0/d3.min": "d3/dist/d3.min",
        "jquery/2.0.0/jquery.min": "jquery/dist/jquery.min",
    }.items():
        assert cdn + far in html, far
        html = html.replace(cdn + far, "scripts/" + near)
else:
    from circuitsvis.attention import attention_heads

    html = attention_heads(attention[0], tokens).local_src

out.write_text(f'<!doctype html><meta charset="utf-8"><title>{peer}</title><body>{html}</body>')
