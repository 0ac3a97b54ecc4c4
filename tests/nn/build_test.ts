import { assertEquals, assertThrows } from "@std/assert";
import type { LayerSpec, NetworkSpec } from "../../src/config/network.ts";
import { cifarDcgan } from "../../src/config/presets/tutorials.ts";
import { UserError } from "../../src/errors.ts";
import { buildNetwork } from "../../src/nn/mod.ts";

function spec(inputShape: number[], ...layers: LayerSpec[]): NetworkSpec {
  return { inputShape, layers, init: "torch" };
}

Deno.test("buildNetwork() infers the tutorial's shapes, parameters and operations", () => {
  const generator = buildNetwork(cifarDcgan.generator);
  assertEquals(generator.outputShape, [32, 32, 3]);
  assertEquals(generator.usesBatchStatistics, true);
  assertEquals(generator.usesLabels, false);
  assertEquals(
    generator.layers.map(({ name, outputShape, parameterCount }) =>
      `${name} ${outputShape.join("x")} ${parameterCount}`
    ),
    [
      "dense_1 8192 827392",
      "activation_1 8192 0",
      "reshape_1 8x8x128 0",
      "upsample_1 16x16x128 0",
      "conv_1 16x16x128 147584",
      "batch-norm_1 16x16x128 512",
      "activation_2 16x16x128 0",
      "upsample_2 32x32x128 0",
      "conv_2 32x32x64 73792",
      "batch-norm_2 32x32x64 256",
      "activation_3 32x32x64 0",
      "conv_3 32x32x3 1731",
      "activation_4 32x32x3 0",
    ],
  );
  assertEquals(generator.layers[0].flops, 2 * 100 * 8192);
  assertEquals(generator.layers[4].flops, 2 * 16 * 16 * 9 * 128 * 128);
  const discriminator = buildNetwork(cifarDcgan.discriminator);
  assertEquals(discriminator.outputShape, [1]);
  const flatten = discriminator.layers.find(({ type }) => type === "flatten");
  assertEquals(flatten?.outputShape, [256 * 5 * 5]);
});

Deno.test("buildNetwork() names parameters by layer, in blocks by path, and keeps given names", () => {
  const network = buildNetwork(spec(
    [4, 4, 2],
    {
      type: "residual",
      body: [{ type: "conv", filters: 2, kernel: 1 }, { type: "conv", filters: 2, kernel: 1 }],
      shortcut: [{ type: "conv", filters: 2, kernel: 1, bias: false, name: "skip" }],
    },
    { type: "batch-norm", name: "norm" },
  ));
  assertEquals(network.parameters.map(({ name, trainable }) => `${name} ${trainable}`), [
    "residual_1/body/conv_1/kernel true",
    "residual_1/body/conv_1/bias true",
    "residual_1/body/conv_2/kernel true",
    "residual_1/body/conv_2/bias true",
    "residual_1/shortcut/skip/kernel true",
    "norm/gamma true",
    "norm/beta true",
    "norm/moving_mean false",
    "norm/moving_variance false",
  ]);
  assertEquals(network.layers.map(({ name, parameterCount }) => [name, parameterCount]), [
    ["residual_1/body/conv_1", 6],
    ["residual_1/body/conv_2", 6],
    ["residual_1/shortcut/skip", 4],
    ["residual_1", 0],
    ["norm", 8],
  ]);
});

const MISFITS: [string, NetworkSpec, string][] = [
  [
    "dense on an image",
    spec([4, 4, 2], { type: "dense", units: 1 }),
    "Layer dense_1 (dense) does not fit an input of shape [4,4,2]: it needs a vector: put a " +
    "flatten or a global pool before it",
  ],
  [
    "conv on a vector, in a block",
    spec([8], {
      type: "residual",
      body: [{ type: "conv", filters: 1, kernel: 3 }],
    }),
    "Layer residual_1/body/conv_1 (conv) does not fit an input of shape [8]: it needs an image " +
    "[height, width, channels]: put a reshape before it",
  ],
  [
    "a kernel larger than its input",
    spec([3, 8, 1], { type: "conv", filters: 1, kernel: 3, dilation: 2, padding: 0 }),
    "Layer conv_1 (conv) does not fit an input of shape [3,8,1]: its kernel covers 5x5 pixels, " +
    "more than the padded input of 3x8",
  ],
  [
    "groups that do not divide the channels",
    spec([3, 3, 3], { type: "conv", filters: 4, kernel: 1, groups: 2 }),
    "its 2 groups must divide both the 3 channels that come in and its 4 filters",
  ],
  [
    "too much output padding",
    spec([3, 3, 1], { type: "conv-transpose", filters: 1, kernel: 3, outputPadding: 1 }),
    "its output padding 1 must be less than its stride 1",
  ],
  [
    "a transposed convolution that leaves nothing",
    spec([1, 1, 1], { type: "conv-transpose", filters: 1, kernel: 2, padding: 1 }),
    "its padding 1 leaves an image of 0x0 pixels",
  ],
  [
    "a reshape to another size",
    spec([10], { type: "reshape", shape: [3, 3, 1] }),
    "shape [3,3,1] holds 9 values, 10 come in",
  ],
  [
    "a reflection of more pixels than there are",
    spec([3, 8, 1], { type: "pad", padding: [0, 3, 3, 0], mode: "reflect" }),
    "its padding [0,3,3,0] reflects more pixels than the 3x8 image has beside its border",
  ],
  [
    "a skip around layers that change the size",
    spec([4, 4, 1], { type: "concat-skip", body: [{ type: "avg-pool", size: 2 }] }),
    "its body gives [2,2,1]: all but the channels must be the input's",
  ],
  [
    "choices of overlapping columns",
    spec([6], { type: "gumbel-softmax", groups: [[2, 3], [0, 3]] }),
    "its group of 3 columns from 0 ends after column 1, where the next group begins",
  ],
  [
    "choices of columns that are not there",
    spec([6], { type: "gumbel-softmax", groups: [[4, 3]] }),
    "its group of 3 columns from 4 ends after column 5, where the vector ends",
  ],
  [
    "pixel-shuffle of too few channels",
    spec([2, 2, 6], { type: "pixel-shuffle", factor: 2 }),
    "its 2x2 blocks must divide the 6 channels that come in",
  ],
  [
    "pooling blocks larger than the image",
    spec([2, 4, 1], { type: "max-pool", size: 3 }),
    "its 3x3 blocks are larger than the 2x4 input",
  ],
  [
    "group-norm of indivisible channels",
    spec([5], { type: "group-norm", groups: 2 }),
    "its 2 groups must divide the 5 channels that come in",
  ],
  [
    "instance-norm of a single pixel",
    spec([1, 1, 4], { type: "instance-norm" }),
    "it needs more than one pixel: a single one is its own mean",
  ],
  [
    "a residual that changes the shape",
    spec([4], { type: "residual", body: [{ type: "dense", units: 3 }] }),
    "its body gives [3] and its shortcut [4]: they must be the same to be added",
  ],
  [
    "labels without classCount",
    spec([4], { type: "label-embedding", units: 3 }),
    "it needs class labels: set the network's classCount",
  ],
  [
    "alpha where there is none",
    spec([4], { type: "activation", fn: "tanh", alpha: 0.2 }),
    "tanh has no alpha; leaky-relu and elu have one: leave it out",
  ],
  [
    "two layers of one name",
    spec([4], { type: "dense", units: 3, name: "a" }, { type: "dense", units: 3, name: "a" }),
    "Layer a (dense) does not fit an input of shape [3]: an earlier layer has the same name",
  ],
];

for (const [what, network, message] of MISFITS) {
  Deno.test(`buildNetwork() names the layer and what does not fit: ${what}`, () => {
    assertThrows(() => buildNetwork(network), UserError, message);
  });
}
