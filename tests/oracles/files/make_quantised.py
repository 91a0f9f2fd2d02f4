#!/usr/bin/env python3
"""The ONNX files of make_files.py with quantised weights:  python make_quantised.py

Needs onnx, onnxruntime, onnx_ir and
safetensors. Per file <family>/<name>.onnx a <family>/<name>.quantised.safetensors: what onnxruntime computes with
the inputs of io.safetensors (logits, patterns), the same with head 2 of the first attention at 0 (by editing the file), and,
where activations stay float32, the same of the exported file with the weights that the quantised ones stand for.
"""
from __future__ import annotations

import os

import numpy as np
import onnx
import onnxruntime as ort
from onnx import helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer
from safetensors.numpy import load_file, save_file

from make_files import trim

HERE = os.path.dirname(os.path.abspath(__file__))
LAYERS, HEADS, HEAD = 2, 4, 2


def feeds_of(path, family):
    held = load_file(f"{family}/io.safetensors")
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    kinds = {"tensor(int64)": np.int64, "tensor(float)": np.float32}
    return {i.name: held[i.name].astype(kinds[i.type]) for i in session.get_inputs()}


def softmaxes(model):
    return [n for n in model.graph.node if n.op_type == "Softmax"]


def mix_of(model, softmax):
    """The product with the values, past what quantises the pattern."""
    names, passed = [softmax.output[0]], ("QuantizeLinear", "DequantizeLinear", "Where", "Cast", "IsNaN")
    while names:
        name = names.pop(0)
        for node in model.graph.node:
            if name not in node.input:
                continue
            if node.op_type == "MatMul":
                return node
            if node.op_type in passed:
                names.append(node.output[0])
    raise SystemExit("no product with values")


def run(model, feeds, names):
    for name in names:
        if name not in [o.name for o in model.graph.output]:
            model.graph.output.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(names, feeds)


def observe(path, feeds, prefix=""):
    model = onnx.load(path)
    names = ["logits", *[s.output[0] for s in softmaxes(model)]]
    logits, *patterns = run(model, feeds, names)
    model = onnx.load(path)
    z = mix_of(model, softmaxes(model)[0])
    gate = np.ones((1, HEADS, 1, 1), np.float32)
    gate[0, HEAD] = 0
    model.graph.initializer.append(numpy_helper.from_array(gate, "gate"))
    at = list(model.graph.node).index(z)
    whole = z.output[0]
    z.output[0] = whole + "_whole"
    model.graph.node.insert(at + 1, helper.make_node("Mul", [whole + "_whole", "gate"], [whole]))
    (ablated,) = run(model, feeds, ["logits"])
    return {f"{prefix}logits": logits, f"{prefix}ablated": ablated,
            **{f"{prefix}pattern.{i}": p for i, p in enumerate(patterns)}}


class Once(CalibrationDataReader):
    def __init__(self, feeds):
        self.left = [feeds]

    def get_next(self):
        return self.left.pop() if self.left else None


def static(source, path, feeds):
    quantize_static(source, path, Once(feeds), quant_format=QuantFormat.QDQ, activation_type=QuantType.QUInt8,
                    weight_type=QuantType.QInt8)


def dynamic(source, path, feeds):
    quantize_dynamic(source, path, weight_type=QuantType.QInt8)


def blocks(quant_format):
    def make(source, path, feeds):
        model = onnx.load(source)
        if quant_format == QuantFormat.QDQ:
            for opset in model.opset_import:
                if opset.domain == "":
                    opset.version = 21
        quantizer = MatMulNBitsQuantizer(model, bits=4, block_size=16, is_symmetric=False, quant_format=quant_format)
        quantizer.process()
        onnx.save(quantizer.model.model, path)
    return make


def whole_weights(source, path, out):
    """The exported file with the weights that the quantised file stands for: each product with it, with the unit matrix."""
    quantised, exported = onnx.load(path), onnx.load(source)
    held = {i.name: numpy_helper.to_array(i) for i in exported.graph.initializer}
    count = 0
    plain = [n for n in exported.graph.node if n.op_type == "MatMul" and n.input[1] in held]
    made = [n for n in quantised.graph.node if n.op_type == "MatMulNBits" or
            (n.op_type == "MatMul" and any(d.op_type == "DequantizeLinear" and n.input[1] in d.output for d in quantised.graph.node))]
    assert len(plain) == len(made) > 0, (len(plain), len(made))
    for before, node in zip(plain, made):
        weight = held[before.input[1]]
        graph = helper.make_graph(
            [n for n in quantised.graph.node if n.op_type == "DequantizeLinear" and n.output[0] in node.input] +
            [helper.make_node(node.op_type, ["unit", *node.input[1:]], ["product"], domain=node.domain, **{
                a.name: helper.get_attribute_value(a) for a in node.attribute})],
            "weight", [helper.make_tensor_value_info("unit", onnx.TensorProto.FLOAT, [weight.shape[0]] * 2)],
            [helper.make_tensor_value_info("product", onnx.TensorProto.FLOAT, None)],
            initializer=list(quantised.graph.initializer))
        model = helper.make_model(graph, opset_imports=quantised.opset_import, ir_version=quantised.ir_version)
        session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        (stands,) = session.run(None, {"unit": np.eye(weight.shape[0], dtype=np.float32)})
        assert 0 < np.abs(stands - weight).max() < 0.2 * np.abs(weight).max()
        next(i for i in exported.graph.initializer if i.name == before.input[1]).CopyFrom(
            numpy_helper.from_array(stands, before.input[1]))
        count += 1
    onnx.save(exported, out)


CASES = [
    ("bert", "script", "int8", dynamic), ("bert", "script", "qdq", static),
    ("llama", "dynamo", "int4", blocks(QuantFormat.QOperator)), ("llama", "dynamo", "int4_qdq", blocks(QuantFormat.QDQ)),
    ("vit", "script", "int8", dynamic), ("vit", "script", "qdq", static),
]


def main():
    os.chdir(HERE)
    for family, source, name, make in CASES:
        source, path = f"{family}/{source}.onnx", f"{family}/{name}.onnx"
        feeds = feeds_of(source, family)
        make(source, path, feeds)
        trim(path)
        tensors = observe(path, feeds)
        if make not in (static, dynamic):
            whole_weights(source, path, "whole.onnx")
            tensors |= observe("whole.onnx", feeds, "float.")
            os.remove("whole.onnx")
            print("  float path differs by", np.abs(tensors["float.logits"] - tensors["logits"]).max())
        save_file({k: np.ascontiguousarray(v) for k, v in tensors.items()}, f"{family}/{name}.quantised.safetensors")
        print(path, {n.op_type for n in onnx.load(path).graph.node})


if __name__ == "__main__":
    main()
