"""Checks ONNX files with the reference implementation: python3 onnx_check.py FILE.onnx ...

Each file must pass the checker (full_check), strict shape inference with constants propagated, and may
not state a shape that inference contradicts. Prints one JSON line a file: {"file", "fault"}, the fault
null for a good one.
"""
import json
import sys

import onnx
from onnx import shape_inference


def dims_of(value):
    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return tensor.elem_type, None  # of unknown rank
    dims = tuple(d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in tensor.shape.dim)
    return tensor.elem_type, dims


def contradicts(stated, inferred):
    if stated[0] != inferred[0]:
        return True
    if stated[1] is None or inferred[1] is None:
        return False
    if len(stated[1]) != len(inferred[1]):
        return True
    pairs = zip(stated[1], inferred[1])
    return any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in pairs)


def fault_of(path):
    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as error:  # the checker's own kinds of error, all of them text for a person
        return f"checker: {error}"
    model = onnx.load(path)
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.graph.value_info[:]
    try:
        whole = shape_inference.infer_shapes(bare, check_type=True, strict_mode=True, data_prop=True)
    except Exception as error:
        return f"shape inference: {error}"
    inferred = {value.name: dims_of(value) for value in whole.graph.value_info}
    for value in model.graph.value_info:
        if value.name in inferred and contradicts(dims_of(value), inferred[value.name]):
            return f"{value.name} is stated as {dims_of(value)} and inferred as {inferred[value.name]}"
    stated = {value.name for value in model.graph.value_info}
    outputs = {value.name for value in model.graph.output}
    made = {name for node in model.graph.node for name in node.output}
    missing = sorted(made - stated - outputs)
    if missing:
        return f"no shape is stated for {', '.join(missing)}"
    return None


for file in sys.argv[1:]:
    print(json.dumps({"file": file, "fault": fault_of(file)}))
