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
from onnxruntime.quantization import QuantType, quantize_dynamic
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
                      head_dim=16,
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


def optimise(source, path, packed, heads, width):
    """BERT by onnxruntime's own optimizer: MultiHeadAttention, or Attention that projects by itself."""
    fusion = FusionOptions("bert")
    fusion.use_multi_head_attention = not packed
    done = optimize_model(source, model_type="bert", num_heads=heads, hidden_size=width, optimization_options=fusion,
                          opt_level=0, use_gpu=False)
    done.save_model_to_file(path)
    trim(path)


def attention_nodes(graph):
    return [n for n in graph.node if n.op_type == "Attention" and n.domain == ""]


def producer(graph, name):
    return next((n for n in graph.node if name in n.output), None)


def merged(graph, at, name, width):
    """Nodes that bring [B,H,T,D] to [B,T,H*D], put before node `at`; the new name."""
    made = [onnx.helper.make_node("Transpose", [name], [name + "_heads_last"], perm=[0, 2, 1, 3]),
            onnx.helper.make_node("Reshape", [name + "_heads_last", f"merged_{width}"], [name + "_merged"])]
    if not any(i.name == f"merged_{width}" for i in graph.initializer):
        graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, 0, width], np.int64), f"merged_{width}"))
    return made, name + "_merged"


def replace(graph, old, new):
    at = list(graph.node).index(old)
    nodes = list(graph.node)
    nodes[at:at + 1] = new
    del graph.node[:]
    graph.node.extend(nodes)


def attribute(node, name):
    return next((onnx.helper.get_attribute_value(a) for a in node.attribute if a.name == name), None)


def finish(model, path):
    used = {i for n in model.graph.node for i in n.input} | {o.name for o in model.graph.output}
    while True:
        keep = [n for n in model.graph.node if any(o in used for o in n.output)]
        if len(keep) == len(model.graph.node):
            break
        del model.graph.node[:]
        model.graph.node.extend(keep)
        used = {i for n in keep for i in n.input} | {o.name for o in model.graph.output}
    held = [i for i in model.graph.initializer if i.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(held)
    onnx.save(model, path)
    trim(path)


def to_multi_head(source, path, heads, width):
    """Standard Attention as onnxruntime's MultiHeadAttention, as optimum's fused graphs have it."""
    model = onnx.load(source)
    for node in attention_nodes(model.graph):
        before, names = [], []
        for name in node.input[:3]:
            made, out = merged(model.graph, node, name, width)
            before += [m for m in made if not any(m.output[0] in n.output for n in model.graph.node)]
            names.append(out)
        unique = {tuple(m.output): m for m in before}
        extra = ["", "", node.input[3]] if len(node.input) > 3 and node.input[3] else []
        if extra:
            # The operator reads an additive bias.
            zero, low = "bias_zero", "bias_low"
            if not any(i.name == zero for i in model.graph.initializer):
                for key, value in ((zero, 0.0), (low, -3.4028234663852886e38)):
                    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value, np.float32), key))
            unique["bias"] = onnx.helper.make_node("Where", [node.input[3], zero, low], [node.output[0] + "_bias"])
            extra = ["", "", node.output[0] + "_bias"]
        fused = onnx.helper.make_node("MultiHeadAttention", names + extra, [node.output[0] + "_mixed"], domain="com.microsoft",
                                      num_heads=heads, scale=attribute(node, "scale") or 0.0,
                                      unidirectional=attribute(node, "is_causal") or 0)
        fused.name = node.name
        apart = [onnx.helper.make_node("Reshape", [node.output[0] + "_mixed", f"apart_{heads}"], [node.output[0] + "_apart"]),
                 onnx.helper.make_node("Transpose", [node.output[0] + "_apart"], [node.output[0]], perm=[0, 2, 1, 3])]
        if not any(i.name == f"apart_{heads}" for i in model.graph.initializer):
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, 0, heads, width // heads], np.int64), f"apart_{heads}"))
        replace(model.graph, node, [*unique.values(), fused, *apart])
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    finish(model, path)


def to_packed(source, path, state, heads):
    """GPT-2's standard Attention as onnxruntime's Attention, which projects by itself."""
    model = onnx.load(source)
    for layer, node in enumerate(attention_nodes(model.graph)):
        split = node
        while split.op_type != "Split":
            split = producer(model.graph, split.input[0])
        gemm = producer(model.graph, split.input[0])
        while gemm.op_type != "Gemm":
            gemm = producer(model.graph, gemm.input[0])
        source_reshape = producer(model.graph, gemm.input[0])
        names = []
        for part in ("weight", "bias"):
            key = f"packed_{layer}_{part}"
            held = state[f"transformer.h.{layer}.attn.c_attn.{part}"].numpy()
            model.graph.initializer.append(onnx.numpy_helper.from_array(held, key))
            names.append(key)
        width = held.shape[0] // 3
        mask = "int_mask"
        first = [] if any(mask in n.output for n in model.graph.node) else [
            onnx.helper.make_node("Cast", ["attention_mask"], [mask], to=onnx.TensorProto.INT32)]
        fused = onnx.helper.make_node("Attention", [source_reshape.input[0], *names, mask], [node.output[0] + "_mixed"],
                                      domain="com.microsoft", num_heads=heads, unidirectional=1)
        fused.name = node.name
        key = f"apart_{heads}"
        if layer == 0:
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, 0, heads, width // heads], np.int64), key))
        apart = [onnx.helper.make_node("Reshape", [node.output[0] + "_mixed", key], [node.output[0] + "_apart"]),
                 onnx.helper.make_node("Transpose", [node.output[0] + "_apart"], [node.output[0]], perm=[0, 2, 1, 3])]
        replace(model.graph, node, [*first, fused, *apart])
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    finish(model, path)


def to_group_query(source, path, config):
    """Llama's standard Attention as onnxruntime's GroupQueryAttention with rotary positions inside and an empty past."""
    model = onnx.load(source)
    heads, kv = config.num_attention_heads, config.num_key_value_heads
    dim = config.head_dim
    angle = np.outer(np.arange(config.max_position_embeddings), config.rope_parameters["rope_theta"] ** (-np.arange(0, dim, 2) / dim))
    held = {"cos_cache": np.cos(angle).astype(np.float32), "sin_cache": np.sin(angle).astype(np.float32),
            "one": np.array([1], np.int64), "axis_one": np.array([1], np.int64)}
    for key, value in held.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, key))
    start = [onnx.helper.make_node("ReduceSum", ["attention_mask", "axis_one"], ["real"], keepdims=0),
             onnx.helper.make_node("Sub", ["real", "one"], ["last"]),
             onnx.helper.make_node("Cast", ["last"], ["seqlens_k"], to=onnx.TensorProto.INT32),
             onnx.helper.make_node("Shape", ["attention_mask"], ["length_long"], start=1, end=2),
             onnx.helper.make_node("Cast", ["length_long"], ["length"], to=onnx.TensorProto.INT32)]
    layers = attention_nodes(model.graph)
    for layer, node in enumerate(layers):
        before, names = [], []
        for place, name in enumerate(node.input[:3]):
            turned = producer(model.graph, name)
            while turned.op_type in ("Reshape", "Expand", "Unsqueeze"):
                turned = producer(model.graph, turned.input[0])
            raw = turned.input[0] if turned.op_type == "RotaryEmbedding" else turned.output[0]
            made, out = merged(model.graph, node, raw, heads * dim if place == 0 else kv * dim)
            before += made
            names.append(out)
        for part in ("key", "value"):
            model.graph.input.append(onnx.helper.make_tensor_value_info(
                f"past_key_values.{layer}.{part}", onnx.TensorProto.FLOAT, ["batch", kv, "past_sequence_length", dim]))
            model.graph.output.append(onnx.helper.make_tensor_value_info(
                f"present.{layer}.{part}", onnx.TensorProto.FLOAT, ["batch", kv, "total_sequence_length", dim]))
        fused = onnx.helper.make_node(
            "GroupQueryAttention",
            [*names, f"past_key_values.{layer}.key", f"past_key_values.{layer}.value", "seqlens_k", "length", "cos_cache", "sin_cache"],
            [node.output[0] + "_mixed", f"present.{layer}.key", f"present.{layer}.value"], domain="com.microsoft",
            num_heads=heads, kv_num_heads=kv, do_rotary=1, scale=dim ** -0.5)
        fused.name = node.name
        if layer == 0:
            model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([0, 0, heads, dim], np.int64), f"apart_{heads}"))
        apart = [onnx.helper.make_node("Reshape", [node.output[0] + "_mixed", f"apart_{heads}"], [node.output[0] + "_apart"]),
                 onnx.helper.make_node("Transpose", [node.output[0] + "_apart"], [node.output[0]], perm=[0, 2, 1, 3])]
        replace(model.graph, node, [*(start if layer == 0 else []), *before, fused, *apart])
    model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))
    finish(model, path)


def check(path, inputs, logits, mask):
    """The fused file still computes what the model does, where tokens are real."""
    import onnxruntime as ort
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    feeds = {}
    for i in session.get_inputs():
        if i.name in inputs:
            feeds[i.name] = inputs[i.name].numpy()
        else:
            feeds[i.name] = np.zeros([2 if d == "batch" else 0 if isinstance(d, str) else d for d in i.shape], np.float32)
    got = session.run(["logits"], feeds)[0]
    off = np.abs(got - logits.numpy())
    if mask is not None:
        off = off[mask.numpy() == 1]
    print("  ", path, "off by", off.max())
    assert off.max() < 5e-5, path


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
        export(name, model, inputs, "dynamo", 18, "sdpa")
        if name != "whisper":  # the tracing exporter lacks an operator of its decoder
            export(name, model, inputs, "script", 17, "eager")
        standard = export(name, model, inputs, "standard", 23, "sdpa")
        fused = os.path.join(name, "fused.onnx")
        if name == "bert":
            optimise(f"{name}/script.onnx", fused, False, 4, 32)
            optimise(f"{name}/script.onnx", f"{name}/packed.onnx", True, 4, 32)
            quantize_dynamic(f"{name}/script.onnx", f"{name}/int8.onnx", weight_type=QuantType.QInt8)
        elif name == "gpt2":
            to_packed(standard, fused, model.state_dict(), 4)
        elif name == "llama":
            to_group_query(standard, fused, config)
            os.remove(standard)  # onnxruntime's RotaryEmbedding does not take one table for several texts
        else:
            to_multi_head(standard, fused, 4, 32)
        model.set_attn_implementation("eager")
        with torch.no_grad():
            logits = model(**inputs).logits
        for f in sorted(os.listdir(name)):
            if f.endswith(".onnx") and f != "int8.onnx":
                check(f"{name}/{f}", inputs, logits, inputs.get("attention_mask"))


if __name__ == "__main__":
    main()
