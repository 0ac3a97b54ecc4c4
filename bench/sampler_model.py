"""Makes the generator that bench/sampler.ts measures: 100-256-512-1024-784, LeakyReLU(0.2), tanh, with
random weights (6 MB). Run with python3-onnx: python3 bench/sampler_model.py OUT.onnx"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(0)
sizes = [100, 256, 512, 1024, 784]
nodes, weights, last = [], [], "latent"
for i, (n, m) in enumerate(zip(sizes, sizes[1:])):
    for name, value in (("w", rng.standard_normal((n, m)) / np.sqrt(n)), ("b", np.zeros(m))):
        weights.append(numpy_helper.from_array(value.astype(np.float32), f"{name}{i}"))
    nodes.append(helper.make_node("Gemm", [last, f"w{i}", f"b{i}"], [f"dense{i}"]))
    if m == sizes[-1]:
        nodes.append(helper.make_node("Tanh", [f"dense{i}"], ["tanh"]))
    else:
        nodes.append(helper.make_node("LeakyRelu", [f"dense{i}"], [f"act{i}"], alpha=0.2))
    last = f"act{i}"
weights.append(numpy_helper.from_array(np.array([-1, 1, 28, 28], np.int64), "shape"))
nodes.append(helper.make_node("Reshape", ["tanh", "shape"], ["image"]))
graph = helper.make_graph(
    nodes, "mlp",
    [helper.make_tensor_value_info("latent", TensorProto.FLOAT, ["N", 100])],
    [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 28, 28])], weights,
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
model.ir_version = 8
onnx.save(model, sys.argv[1])
