/** Every layer against PyTorch: output, buffers, first and second derivatives. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { ActivationName, LayerSpec } from "../../src/config/network.ts";
import { toHosts, toTensors } from "../../src/engine/eager/engine.ts";
import { tf } from "../../src/tensor/tf.ts";
import { testOnBackends } from "./golden.ts";
import {
  assertLayerOutputs,
  inputsOf,
  layerCases,
  layerFunction,
  networkOf,
} from "./layer_cases.ts";

for (const golden of layerCases) {
  testOnBackends(`applyNetwork() gives PyTorch's values: ${golden.name}`, async () => {
    const run = layerFunction(golden, networkOf(golden));
    const before = tf.memory().numTensors;
    const inputs = toTensors(inputsOf(golden));
    const outputs = tf.tidy(() => run(inputs));
    assertLayerOutputs(golden, await toHosts(outputs));
    tf.dispose([inputs, outputs]);
    assertEquals(tf.memory().numTensors, before, "tensors left over");
  });
}

Deno.test("the golden files cover every layer type and every activation", () => {
  const text = JSON.stringify(layerCases.map((golden) => golden.spec));
  const types: Record<LayerSpec["type"], true> = {
    "dense": true,
    "maxout": true,
    "conv": true,
    "depthwise-conv": true,
    "conv-transpose": true,
    "batch-norm": true,
    "conditional-batch-norm": true,
    "layer-norm": true,
    "instance-norm": true,
    "group-norm": true,
    "activation": true,
    "prelu": true,
    "gumbel-softmax": true,
    "dropout": true,
    "flatten": true,
    "reshape": true,
    "upsample": true,
    "pixel-shuffle": true,
    "pad": true,
    "avg-pool": true,
    "max-pool": true,
    "global-avg-pool": true,
    "global-sum-pool": true,
    "residual": true,
    "concat-skip": true,
    "self-attention": true,
    "label-embedding": true,
    "projection-head": true,
    "classifier-head": true,
    "minibatch-stddev": true,
    "gaussian-noise": true,
  };
  const functions: Record<ActivationName, true> = {
    "linear": true,
    "relu": true,
    "relu6": true,
    "leaky-relu": true,
    "elu": true,
    "selu": true,
    "silu": true,
    "gelu": true,
    "mish": true,
    "tanh": true,
    "sigmoid": true,
    "hard-sigmoid": true,
    "softplus": true,
    "softsign": true,
    "softmax": true,
  };
  for (const type of Object.keys(types)) assertStringIncludes(text, `"type":"${type}"`);
  for (const fn of Object.keys(functions)) assertStringIncludes(text, `"fn":"${fn}"`);
});
