import { assertEquals } from "@std/assert";
import { buildNetwork, initialParameters } from "../../src/nn/mod.ts";
import { fromTorchWeights, toTorchWeights } from "../../src/pipeline/torch_weights.ts";
import { withPrefix } from "../../src/training/tensor_names.ts";

const networks = {
  generator: buildNetwork({
    inputShape: [2],
    init: "he-normal",
    layers: [
      { type: "dense", units: 24 },
      { type: "batch-norm" },
      { type: "reshape", shape: [2, 4, 3] },
      { type: "depthwise-conv", kernel: 2, multiplier: 2 },
      { type: "conv", filters: 2, kernel: 1, groups: 2 },
    ],
  }),
};
const state = withPrefix("generator", initialParameters(networks.generator, 1));

Deno.test("toTorchWeights() uses PyTorch's names, and its layouts of kernels", () => {
  const weights = toTorchWeights(networks, state);
  assertEquals(
    Object.entries(weights).map(([name, { shape }]) => `${name} [${shape}]`),
    [
      "generator.dense_1.weight [24,2]",
      "generator.dense_1.bias [24]",
      "generator.batch_norm_1.weight [24]",
      "generator.batch_norm_1.bias [24]",
      "generator.batch_norm_1.running_mean [24]",
      "generator.batch_norm_1.running_var [24]",
      "generator.depthwise_conv_1.weight [6,1,2,2]",
      "generator.depthwise_conv_1.bias [6]",
      "generator.conv_1.weight [2,3,1,1]",
      "generator.conv_1.bias [2]",
    ],
  );
  // [kh, kw, inputs, multiplier]: output channel 3 is the second of input channel 1.
  const ours = state["generator/depthwise-conv_1/kernel"].data;
  const theirs = weights["generator.depthwise_conv_1.weight"].data;
  assertEquals(theirs[3 * 4 + 2], ours[(2 * 3 + 1) * 2 + 1]); // at row 1, column 0
});

Deno.test("fromTorchWeights() gives back what was written, and leaves out other shapes", () => {
  const weights = toTorchWeights(networks, state);
  assertEquals(fromTorchWeights(networks, weights), state);
  weights["generator.conv_1.bias"] = { shape: [1], dtype: "float32", data: Float32Array.of(0) };
  const { "generator/conv_1/bias": _, ...rest } = state;
  assertEquals(fromTorchWeights(networks, weights), rest);
});
