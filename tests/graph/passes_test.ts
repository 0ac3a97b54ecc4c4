import { assertEquals } from "@std/assert";
import type { LayerSpec } from "../../src/config/network.ts";
import { checkParity, exportOnnx } from "../../src/export/mod.ts";
import { generatorOf, graphOf, operatorsOf, trainedNetwork } from "../export/networks.ts";

const dense = (units: number): LayerSpec => ({ type: "dense", units });
const image = (shape: number[]): LayerSpec => ({ type: "reshape", shape });
const fn = (name: "relu" | "silu" | "mish"): LayerSpec => ({
  type: "activation",
  fn: name,
});
const conv = (filters: number, padding = 1): LayerSpec => ({
  type: "conv",
  filters,
  kernel: 3,
  padding,
});
const norm: LayerSpec = { type: "batch-norm" };

/** For each case, its layers behind a latent of 4 values, and the operators that must be left of them. */
const CASES: [title: string, layers: LayerSpec[], operators: string][] = [
  ["batch norm behind a dense layer", [dense(6), norm, fn("relu")], "Gemm Relu"],
  ["batch norm before a dense layer", [dense(6), fn("relu"), norm, dense(3)], "Gemm Relu Gemm"],
  [
    "batch norm behind the dense layer's reshape",
    [dense(24), image([2, 3, 4]), norm, fn("relu")],
    "Gemm Reshape Relu",
  ],
  [
    "batch norm behind an up-sampled convolution",
    [dense(16), image([2, 2, 4]), conv(3), { type: "upsample", factor: 2 }, norm, fn("relu")],
    "Gemm Reshape Conv Resize Relu",
  ],
  [
    "batch norm behind transposed and depthwise convolutions",
    [
      dense(16),
      image([2, 2, 4]),
      { type: "conv-transpose", filters: 3, kernel: 4, stride: 2, padding: 1, bias: false },
      norm,
      { type: "depthwise-conv", kernel: 3, multiplier: 2, padding: 1 },
      norm,
    ],
    "Gemm Reshape ConvTranspose Conv",
  ],
  [
    "batch norm before a convolution without padding",
    [dense(36), image([3, 3, 4]), fn("relu"), norm, conv(2, 0)],
    "Gemm Reshape Relu Conv",
  ],
  [
    "batch norm before a padded convolution, whose border must stay zero",
    [dense(36), image([3, 3, 4]), fn("relu"), norm, conv(2)],
    "Gemm Reshape Relu Mul Add Conv",
  ],
  [
    "an activation of several operations between the dense layer and its reshape",
    [dense(24), fn("mish"), image([2, 3, 4]), conv(2)],
    "Gemm Softplus Tanh Mul Reshape Conv",
  ],
  [
    "a norm over all elements between the two, in any order",
    [dense(24), { type: "layer-norm" }, image([2, 3, 4]), conv(2)],
    "Gemm ReduceMean Sub Mul ReduceMean Add Sqrt Reciprocal Mul Mul Add Reshape Conv",
  ],
  [
    "a grouped convolution",
    [
      dense(16),
      image([2, 2, 4]),
      { type: "conv", filters: 8, kernel: 3, padding: 1, groups: 2 },
      norm,
    ],
    "Gemm Reshape Conv",
  ],
  [
    "a pixel shuffle",
    [dense(32), image([2, 2, 8]), conv(8), { type: "pixel-shuffle", factor: 2 }],
    "Gemm Reshape Conv DepthToSpace",
  ],
  [
    "bilinear up-sampling and pooling",
    [
      dense(16),
      image([2, 2, 4]),
      { type: "upsample", factor: 2, mode: "bilinear" },
      { type: "max-pool", size: 2 },
    ],
    "Gemm Reshape Resize MaxPool",
  ],
  [
    "a spectrally normalized kernel, which is a constant",
    [{ type: "dense", units: 3, spectralNorm: true }],
    "Gemm",
  ],
  [
    "layers that do nothing after training",
    [dense(3), { type: "dropout", rate: 0.5 }, { type: "gaussian-noise", sigma: 1 }],
    "Gemm",
  ],
];

for (const [title, layers, operators] of CASES) {
  Deno.test(`the exported graph has as few operations as it can: ${title}`, async () => {
    const { spec, weights, reference } = trainedNetwork(generatorOf(4, layers), 1);
    const model = await exportOnnx({ spec, weights });
    assertEquals(operatorsOf(model).join(" "), operators);
    await checkParity(model, reference, { count: 5, tolerance: 1e-5 });
  });
}

Deno.test("the exported graph keeps a grouped convolution's groups and a shuffle's order", async () => {
  const grouped = trainedNetwork(generatorOf(4, CASES[9][1]), 1);
  const conv = graphOf(await exportOnnx(grouped)).nodes.at(-1)!;
  assertEquals(conv.attributes!.group, 2);
  const shuffled = trainedNetwork(generatorOf(4, CASES[10][1]), 1);
  const shuffle = graphOf(await exportOnnx(shuffled)).nodes.at(-1)!;
  assertEquals(shuffle.attributes, { blocksize: 2, mode: "CRD" });
});
