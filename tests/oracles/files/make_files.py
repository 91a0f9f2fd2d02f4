#!/usr/bin/env python3
"""Tiny random models, their ONNX exports and what Hugging Face transformers computes:  python make_files.py [family ...]

Needs torch, transformers, onnx, onnxscript and onnxruntime. Per family <name>/: config.json and model.safetensors,
`<exporter>.onnx` and io.safetensors (inputs, outputs, patterns and value vectors of the eager float32 model).
"""
from __future__ import annotations

import os
import sys
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import onnx
import torch
import transformers as T
from onnxruntime.transformers.fusion_options import FusionOptions
from onnxruntime.transformers.optimizer import optimize_model
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
SEED = 20260


def spread(model):
    """Weights large enough that heads differ and attention is not uniform."""
    torch.manual_seed(SEED)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if p.dim() > 1:
                p.normal_(0.0, 0.25)
            elif "norm" in name.lower() or "ln_" in name:
                p.add_(torch.randn_like(p) * 0.1)
            else:
                p.normal_(0.0, 0.1)
    return model.eval()


def ids(batch, length, vocabulary):
    rng = np.random.default_rng(7)
    mask = torch.ones(batch, length, dtype=torch.long)
    mask[1, length - 3:] = 0
    return torch.tensor(rng.integers(4, vocabulary, (batch, length))), mask


def bert():
    c = T.BertConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
                     max_position_embeddings=24, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    x, mask = ids(2, 9, 64)
    types = torch.zeros_like(x)
    types[:, 5:] = 1
    return T.BertForMaskedLM, c, dict(input_ids=x, attention_mask=mask, token_type_ids=types)


def gpt2():
    c = T.GPT2Config(vocab_size=64, n_positions=24, n_embd=32, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=0,
                     attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0)
    x, mask = ids(2, 9, 64)
    return T.GPT2LMHeadModel, c, dict(input_ids=x, attention_mask=mask)


def llama():
    c = T.LlamaConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                      intermediate_size=48, max_position_embeddings=24)
    x, mask = ids(2, 9, 64)
    return T.LlamaForCausalLM, c, dict(input_ids=x, attention_mask=mask)


def vit():
    c = T.ViTConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, image_size=12,
                    patch_size=4, num_labels=3)
    torch.manual_seed(1)
    return T.ViTForImageClassification, c, dict(pixel_values=torch.randn(2, 3, 12, 12))


def whisper():
    c = T.WhisperConfig(vocab_size=64, num_mel_bins=8, d_model=32, encoder_layers=2, decoder_layers=2,
                        encoder_attention_heads=4, decoder_attention_heads=4, encoder_ffn_dim=48, decoder_ffn_dim=48,
                        max_source_positions=12, max_target_positions=16, pad_token_id=0, bos_token_id=1,
                        eos_token_id=2, decoder_start_token_id=3, suppress_tokens=None, begin_suppress_tokens=None)
    torch.manual_seed(1)
    x, _ = ids(2, 6, 64)
    return T.WhisperForConditionalGeneration, c, dict(input_features=torch.randn(2, 8, 24), decoder_input_ids=x)


CASES = dict(bert=bert, gpt2=gpt2, llama=llama, vit=vit, whisper=whisper)


class Plain(torch.nn.Module):
    """The model with plain tensors in and out."""

    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *args):
        given = dict(zip(self.names, args))
        if not self.model.config.is_encoder_decoder and hasattr(self.model.config, "use_cache"):
            given["use_cache"] = False
        if self.model.config.is_encoder_decoder:
            given["use_cache"] = False
        return self.model(**given).logits


def record(name, model, inputs):
    """Inputs, logits, and per block the pattern and the values that the eager model mixes."""
    tensors = {k: v.to(torch.int32) if v.dtype == torch.long else v for k, v in inputs.items()}
    values = {}

    def keep(key, heads):
        def hook(_, __, out):
            b, t, _w = out.shape
            values[key] = out.reshape(b, t, heads, -1).transpose(1, 2)
        return hook

    hooks = []
    for path, module in model.named_modules():
        heads = getattr(model.config, "num_key_value_heads", None) or model.config.num_attention_heads
        if path.endswith((".v_proj", ".value")):
            hooks.append(module.register_forward_hook(keep(path, heads)))
        elif path.endswith(".c_attn"):
            def fused(_, __, out, path=path):
                b, t, w = out.shape
                values[path] = out[..., 2 * w // 3:].reshape(b, t, heads, -1).transpose(1, 2)
            hooks.append(module.register_forward_hook(fused))
    with torch.no_grad():
        out = model(**inputs, output_attentions=True)
    for hook in hooks:
        hook.remove()
    tensors["logits"] = out.logits
    groups = {"": out.get("attentions"), "encoder.": out.get("encoder_attentions"),
              "decoder.": out.get("decoder_attentions"), "cross.": out.get("cross_attentions")}
    for prefix, patterns in groups.items():
        for layer, p in enumerate(patterns or []):
            tensors[f"{prefix}pattern.{layer}"] = p
    for path, v in values.items():
        tensors[f"v {path}"] = v
    save_file({k: v.contiguous() for k, v in tensors.items()}, os.path.join(name, "io.safetensors"))


def axes_of(inputs):
    Dim = torch.export.Dim
    batch, query = Dim("batch", min=1, max=64), Dim("query", min=2, max=16)
    return {k: ({0: batch, 1: query} if v.dtype == torch.long else {0: batch}) for k, v in inputs.items()}


def export(name, model, inputs, exporter, opset, attention):
    path = os.path.join(name, f"{exporter}.onnx")
    model.set_attn_implementation(attention)
    names = list(inputs)
    plain = Plain(model, names).eval()
    if exporter.startswith("script"):
        axes = {k: {0: "batch", **({1: "query"} if v.dtype == torch.long else {})} for k, v in inputs.items()}
        torch.onnx.export(plain, tuple(inputs.values()), path, input_names=names, output_names=["logits"],
                          dynamic_axes={**axes, "logits": {0: "batch"}}, opset_version=opset, dynamo=False)
    else:
        shapes = (tuple(axes_of(inputs).values()),)
        torch.onnx.export(plain, tuple(inputs.values()), path, input_names=names, output_names=["logits"],
                          dynamic_shapes=shapes, opset_version=opset, dynamo=True, external_data=False, verbose=False)
    trim(path)
    return path


def trim(path):
    """Drops what tells of the exporting machine, and descriptions that double the size."""
    model = onnx.load(path)
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in [*model.graph.value_info, *model.graph.input, *model.graph.output, *model.graph.initializer]:
        del value.metadata_props[:]
    del model.graph.value_info[:]
    del model.graph.metadata_props[:]
    del model.metadata_props[:]
    onnx.save(model, path)


def fuse(name, source, model_type, heads, width, target="fused", **options):
    fusion = FusionOptions(model_type)
    for key, value in options.items():
        setattr(fusion, key, value)
    done = optimize_model(source, model_type=model_type, num_heads=heads, hidden_size=width, optimization_options=fusion,
                          opt_level=0, use_gpu=False)
    print(name, target, {k: v for k, v in done.get_fused_operator_statistics().items() if v})
    path = os.path.join(name, f"{target}.onnx")
    done.save_model_to_file(path)
    trim(path)


def main():
    os.chdir(HERE)
    for name in sys.argv[1:] or CASES:
        cls, config, inputs = CASES[name]()
        os.makedirs(name, exist_ok=True)
        config._attn_implementation = "eager"
        model = spread(cls(config))
        model.save_pretrained(name)
        for extra in ("generation_config.json",):
            if os.path.exists(os.path.join(name, extra)):
                os.remove(os.path.join(name, extra))
        record(name, model, inputs)
        for exporter, opset, attention in (("script", 17, "eager"), ("dynamo", 18, "sdpa"), ("dynamo23", 23, "sdpa")):
            try:
                export(name, model, inputs, exporter, opset, attention)
            except Exception as error:
                print(name, exporter, "FAILED", str(error)[:300])
        for f in sorted(os.listdir(name)):
            if f.endswith(".onnx"):
                g = onnx.load(os.path.join(name, f))
                kinds = {}
                for n in g.graph.node:
                    kinds[n.op_type] = kinds.get(n.op_type, 0) + 1
                print(name, f, os.path.getsize(os.path.join(name, f)), [(o.domain, o.version) for o in g.opset_import], len(g.functions), kinds)


if __name__ == "__main__":
    main()
