/** Biases that a norm undoes are left out while training, and counted where inference needs them. */
import { assertEquals, assertLess, assertNotEquals } from "@std/assert";
import type { LayerSpec } from "../../src/config/network.ts";
import { HostStepRandom, toTensors } from "../../src/engine/eager/engine.ts";
import { tf } from "../../src/tensor/tf.ts";
import type { TensorMap } from "../../src/tensor/types.ts";
import {
  applyNetwork,
  buildNetwork,
  initialParameters,
  type Network,
  valueAndGradients,
} from "../../src/nn/mod.ts";
import { fillNormal } from "../../src/random/counter_random.ts";

const BATCH = 3;
const batchNorm: LayerSpec = { type: "batch-norm", momentum: 1 };
const conditionalNorm: LayerSpec = { type: "conditional-batch-norm", momentum: 1 };
const tanh: LayerSpec = { type: "activation", fn: "tanh" };
const double: LayerSpec = { type: "upsample", factor: 2 };
const conv: LayerSpec = { type: "conv", filters: 4, kernel: 3, padding: 1 };
const dense: LayerSpec = { type: "dense", units: 4 };
const pointwise: LayerSpec = { type: "conv", filters: 5, kernel: 1 };
/** Changes nothing, and is not known to pass offsets on. */
const opaque: LayerSpec = { type: "pad", padding: 0 };
const block: LayerSpec = {
  type: "residual",
  body: [batchNorm, tanh, conv],
  shortcut: [{ type: "conv", filters: 4, kernel: 1 }],
};

/** Layers, and the biases among theirs that have no effect while training. */
const CASES: { name: string; input: number[]; layers: LayerSpec[]; undone: string[] }[] = [
  { name: "conv", input: [4, 4, 2], layers: [conv, batchNorm, tanh, conv], undone: ["conv_1"] },
  { name: "dense", input: [5], layers: [dense, batchNorm, tanh, dense], undone: ["dense_1"] },
  {
    name: "depthwise and transposed convolutions",
    input: [4, 4, 2],
    layers: [
      { type: "conv-transpose", filters: 3, kernel: 4, stride: 2, padding: 1 },
      batchNorm,
      tanh,
      { type: "depthwise-conv", kernel: 3, multiplier: 2 },
      batchNorm,
      tanh,
    ],
    undone: ["conv-transpose_1", "depthwise-conv_1"],
  },
  {
    name: "a grouped convolution with spectral norm",
    input: [4, 4, 2],
    layers: [{ ...conv, groups: 2, spectralNorm: true }, batchNorm, tanh],
    undone: ["conv_1"],
  },
  {
    name: "a class's scale and offset",
    input: [4, 4, 2],
    layers: [conv, conditionalNorm, tanh],
    undone: ["conv_1"],
  },
  {
    name: "instance norm",
    input: [4, 4, 2],
    layers: [conv, { type: "instance-norm" }, tanh],
    undone: ["conv_1"],
  },
  {
    name: "up-sampling and pooling",
    input: [4, 4, 2],
    layers: [
      conv,
      double,
      { type: "upsample", factor: 2, mode: "bilinear" },
      { type: "max-pool", size: 2 },
      { type: "avg-pool", size: 2 },
      batchNorm,
      tanh,
      pointwise,
      { type: "global-avg-pool" },
      batchNorm,
      tanh,
    ],
    undone: ["conv_1", "conv_2"],
  },
  {
    name: "a vector under another shape, noise, and what does nothing",
    input: [5],
    layers: [
      dense,
      { type: "reshape", shape: [1, 1, 4] },
      { type: "gaussian-noise", sigma: 0.1 },
      { type: "dropout", rate: 0 },
      { type: "activation", fn: "linear" },
      batchNorm,
      tanh,
    ],
    undone: ["dense_1"],
  },
  {
    name: "linear layers in between",
    input: [4, 4, 2],
    layers: [
      conv,
      { ...pointwise, spectralNorm: true },
      { type: "conv", filters: 2, kernel: [2, 3], dilation: 1 },
      { type: "global-avg-pool" },
      dense,
      { ...dense, bias: false },
      batchNorm,
      tanh,
    ],
    undone: ["conv_1", "conv_2", "conv_3", "dense_1"],
  },
  {
    name: "residual blocks",
    input: [4, 4, 4],
    layers: [
      block,
      { ...block, shortcut: [] } as LayerSpec,
      block,
      batchNorm,
      tanh,
      pointwise,
    ],
    undone: [
      "residual_1/body/conv_1",
      "residual_1/shortcut/conv_1",
      "residual_2/body/conv_1",
      "residual_3/body/conv_1",
      "residual_3/shortcut/conv_1",
    ],
  },
  // Those that count.
  { name: "an activation in between", input: [5], layers: [dense, tanh, batchNorm], undone: [] },
  {
    name: "dropout in between",
    input: [5],
    layers: [dense, { type: "dropout", rate: 0.5 }, batchNorm, tanh],
    undone: [],
  },
  {
    name: "padding in between",
    input: [4, 4, 2],
    layers: [conv, { type: "pad", padding: [0, 0, 1, 1] }, batchNorm, tanh],
    undone: [],
  },
  {
    name: "a border in between",
    input: [4, 4, 2],
    layers: [conv, conv, batchNorm, tanh],
    undone: ["conv_2"],
  },
  {
    name: "positions that become of a vector",
    input: [5],
    layers: [
      { type: "dense", units: 16 },
      { type: "reshape", shape: [2, 2, 4] },
      batchNorm,
      tanh,
    ],
    undone: [],
  },
  {
    name: "other norms",
    input: [4, 4, 2],
    layers: [conv, { type: "layer-norm" }, conv, { type: "group-norm", groups: 2 }, tanh],
    undone: [],
  },
  {
    name: "a shortcut past the norm",
    input: [4, 4, 2],
    layers: [conv, { type: "residual", body: [batchNorm, tanh, conv] }, tanh],
    undone: [],
  },
  { name: "the end of the network", input: [4, 4, 2], layers: [tanh, conv], undone: [] },
];

/** A network whose biases are not at their start, a batch for it, and a loss that sees every output. */
function prepare(input: number[], layers: LayerSpec[]) {
  const network = buildNetwork({ inputShape: input, layers, init: "torch", classCount: 3 });
  const params = toTensors(initialParameters(network, 3));
  const normals = (shape: number[], stream: number): tf.Tensor => {
    const values = new Float32Array(tf.util.sizeFromShape(shape));
    return tf.tensor(fillNormal(values, { seed: 8, stream, step: 0 }), shape);
  };
  const x = normals([BATCH, ...input], 0);
  const weights = normals([BATCH, ...network.outputShape], 1);
  return { network, params, x, weights };
}

function apply(network: Network, params: TensorMap, x: tf.Tensor, training: boolean) {
  const labels = tf.tensor1d([2, 0, 1], "int32");
  return applyNetwork(network, params, x, { training, random: new HostStepRandom(5, 0), labels });
}

function gradients(input: number[], layers: LayerSpec[]): TensorMap {
  const { network, params, x, weights } = prepare(input, layers);
  const learned = network.parameters.filter(({ trainable }) => trainable).map(({ name }) => name);
  return valueAndGradients((given) => {
    const { output } = apply(network, { ...params, ...given }, x, true);
    return { loss: tf.sum(tf.mul(output, weights)) as tf.Scalar, aux: {} };
  }, Object.fromEntries(learned.map((name) => [name, params[name]]))).grads;
}

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

function assertNear(actual: tf.Tensor, expected: tf.Tensor, what: string): void {
  const difference = norm(tf.sub(actual, expected).dataSync());
  const scale = norm(expected.dataSync());
  assertLess(difference, 1e-5 * scale + 1e-6, `${what} differs by ${difference} of ${scale}`);
}

async function onCpu(test: () => void): Promise<void> {
  await tf.setBackend("cpu");
  tf.engine().startScope();
  try {
    test();
  } finally {
    tf.engine().endScope();
  }
}

for (const { name, input, layers, undone } of CASES) {
  const what = undone.length === 0 ? "no biases" : `the biases of ${undone.join(", ")}`;
  Deno.test(`applyNetwork() leaves out ${what} while training: ${name}`, () =>
    onCpu(() => {
      const grads = gradients(input, layers);
      const idle = Object.keys(grads).filter((key) =>
        key.endsWith("/bias") && norm(grads[key].dataSync()) === 0
      );
      assertEquals(idle, undone.map((layer) => `${layer}/bias`));
    }));
}

/** The same layers where every bias is added: none is passed on to a norm. */
function plainly(layers: LayerSpec[]): LayerSpec[] {
  return layers.flatMap((layer): LayerSpec[] => {
    if (layer.type === "residual") {
      const { body, shortcut = [] } = layer;
      return [{ ...layer, body: plainly(body), shortcut: plainly(shortcut) }, opaque];
    }
    return layer.type === "conv" || layer.type === "conv-transpose" ||
        layer.type === "depthwise-conv"
      ? [layer, opaque]
      : [layer];
  });
}

for (const { name, input, layers, undone } of CASES) {
  if (undone.length === 0) continue;
  if (!undone.some((layer) => layer.includes("dense"))) {
    Deno.test(`applyNetwork() gives what it gives with these biases added: ${name}`, () =>
      onCpu(() => {
        const [ours, plain] = [layers, plainly(layers)].map((specs) => {
          const { network, params, x } = prepare(input, specs);
          return { ...apply(network, params, x, true), grads: gradients(input, specs) };
        });
        assertNear(ours.output, plain.output, "the output");
        assertEquals(Object.keys(ours.updates), Object.keys(plain.updates));
        for (const [key, value] of Object.entries(ours.updates)) {
          assertNear(value, plain.updates[key], key);
        }
        const most = Math.max(...Object.values(plain.grads).map((grad) => norm(grad.dataSync())));
        for (const [key, value] of Object.entries(ours.grads)) {
          const noise = norm(plain.grads[key].dataSync());
          if (undone.includes(key.replace(/\/bias$/, ""))) assertLess(noise, 1e-5 * most, key);
          else assertNear(value, plain.grads[key], `the gradient of ${key}`);
        }
      }));
  }
  Deno.test(`applyNetwork() with the batch's own statistics evaluates to what it trained on: ${name}`, () =>
    onCpu(() => {
      // Noise is gone when evaluated, and spectral norm is another until its vectors settle.
      const quiet = layers.filter(({ type }) => type !== "gaussian-noise")
        .map((layer) => "spectralNorm" in layer ? { ...layer, spectralNorm: false } : layer);
      const { network, params, x } = prepare(input, quiet);
      const { output, updates } = apply(network, params, x, true);
      // The running variance divides by the count less one; what normalized the batch divides by it.
      const statistics = Object.entries(updates).map(([key, value]): [string, tf.Tensor] => {
        if (!key.endsWith("moving_variance")) return [key, value];
        const layer = network.layers.find((layer) => key === `${layer.name}/moving_variance`)!;
        const positions = tf.util.sizeFromShape(layer.outputShape.slice(0, -1)) * BATCH;
        return [key, tf.mul(value, (positions - 1) / positions)];
      });
      const settled = { ...params, ...Object.fromEntries(statistics) };
      assertNear(apply(network, settled, x, false).output, output, "the output");
      for (const layer of undone) {
        const key = `${layer}/bias`;
        const shifted = { ...settled, [key]: tf.add(settled[key], 1) };
        assertEquals(
          apply(network, { ...params, [key]: shifted[key] }, x, true).output.dataSync(),
          output.dataSync(),
          key,
        );
        const moved = apply(network, shifted, x, false).output.dataSync();
        const isInstanceNorm = layers.some(({ type }) => type === "instance-norm");
        if (!isInstanceNorm) assertNotEquals(moved, output.dataSync(), `${key} when evaluated`);
      }
    }));
}
