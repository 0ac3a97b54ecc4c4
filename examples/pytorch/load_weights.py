"""A generator trained by ganforge, as a PyTorch module.

    deno task export latest --format safetensors --out generator.safetensors
    python3 examples/pytorch/load_weights.py generator.safetensors latents.json samples.json

`latents.json` holds latents `[[...], ...]`, `samples.json` gets `G(latents)`: images as `[n, channels, height, width]`.
The file's tensors have the names and layouts of the modules below (`dense_1.weight`, `batch_norm_1.running_mean`), so
`load_state_dict` takes them as they are. Only flattening and reshaping differ: ganforge keeps channels last, so an
image's values are in the order height, width, channels where it becomes a vector, or is made from one.

Layers that are here: dense, conv, conv-transpose, batch-norm, activation, dropout, reshape, flatten, upsample. Others
are said by name.
"""
import json
import struct
import sys
from collections import OrderedDict

import torch
from torch import nn
from torch.nn import functional as F


def read_safetensors(path):
    """The tensors and the metadata of a file. (The package `safetensors` does the same.)"""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__")
    types = {"F32": torch.float32, "I32": torch.int32}
    tensors = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(data[start:end], dtype=types[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata


class Reshape(nn.Module):
    """Values to an image, channels last in the values' order."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        return x.reshape(-1, *self.shape).permute(0, 3, 1, 2) if len(self.shape) == 3 else x.reshape(-1, *self.shape)


class Flatten(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x.flatten(1)


class Activation(nn.Module):
    def __init__(self, layer):
        super().__init__()
        self.function = {
            "relu": F.relu,
            "leaky-relu": lambda x: F.leaky_relu(x, layer.get("alpha", 0.01)),
            "tanh": torch.tanh,
            "sigmoid": torch.sigmoid,
            "elu": lambda x: F.elu(x, layer.get("alpha", 1.0)),
            "silu": F.silu,
        }[layer["fn"]]

    def forward(self, x):
        return self.function(x)


def module(layer, shape):
    """One layer for an input of `shape` (without the batch, channels last), and its output's shape."""
    kind = layer["type"]
    if kind == "dense":
        return nn.Linear(shape[0], layer["units"], bias=layer.get("bias", True)), [layer["units"]]
    if kind in ("conv", "conv-transpose"):
        height, width, channels = shape
        kernel, stride = layer["kernel"], layer.get("stride", 1)
        padding, dilation = layer.get("padding", 0), layer.get("dilation", 1)
        if not isinstance(padding, (int, list)):
            sys.exit(f"Error: a padding of {padding} is not in this script")
        options = dict(stride=stride, padding=padding, dilation=dilation, bias=layer.get("bias", True))
        if kind == "conv":
            made = nn.Conv2d(channels, layer["filters"], kernel, groups=layer.get("groups", 1), **options)
        else:
            options["output_padding"] = layer.get("outputPadding", 0)
            made = nn.ConvTranspose2d(channels, layer["filters"], kernel, **options)
        with torch.no_grad():
            _, filters, height, width = made(torch.zeros(1, channels, height, width)).shape
        return made, [height, width, filters]
    if kind == "batch-norm":
        norm = nn.BatchNorm1d if len(shape) == 1 else nn.BatchNorm2d
        return norm(shape[-1], eps=layer.get("epsilon", 1e-5)), shape
    if kind == "activation":
        return Activation(layer), shape
    if kind == "dropout":
        return nn.Dropout(layer["rate"]), shape
    if kind == "reshape":
        return Reshape(layer["shape"]), layer["shape"]
    if kind == "flatten":
        return Flatten(), [torch.Size(shape).numel()]
    if kind == "upsample":
        factor, mode = layer["factor"], layer.get("mode", "nearest")
        options = dict(align_corners=False) if mode == "bilinear" else {}
        return nn.Upsample(scale_factor=factor, mode=mode, **options), [shape[0] * factor, shape[1] * factor, shape[2]]
    sys.exit(f"Error: the layer {kind} is not in this script")


def build(spec):
    """A network from its description in the file's metadata."""
    parts, counts, shape = OrderedDict(), {}, spec["inputShape"]
    for layer in spec["layers"]:
        kind = layer["type"]
        counts[kind] = counts.get(kind, 0) + 1
        name = layer.get("name") or f"{kind}_{counts[kind]}"
        parts[name.replace("-", "_")], shape = module(layer, shape)
    return nn.Sequential(parts)


def load(path, name="generator"):
    """A network of a file, ready to be used."""
    tensors, metadata = read_safetensors(path)
    network = build(json.loads(metadata[name]))
    prefix = f"{name}."
    network.load_state_dict({key[len(prefix):]: value for key, value in tensors.items() if key.startswith(prefix)})
    return network.eval()


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: load_weights.py WEIGHTS.safetensors LATENTS.json SAMPLES.json")
    with open(sys.argv[2]) as file:
        latents = torch.tensor(json.load(file))
    with torch.no_grad():
        samples = load(sys.argv[1])(latents)
    with open(sys.argv[3], "w") as file:
        json.dump(samples.tolist(), file)
