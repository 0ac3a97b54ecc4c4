import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import type { InitializerSpec, LayerSpec } from "../../src/config/network.ts";
import { buildNetwork, initialParameters } from "../../src/nn/mod.ts";

function parametersOf(inputShape: number[], layer: LayerSpec, init: InitializerSpec = "torch") {
  return initialParameters(buildNetwork({ inputShape, layers: [layer], init, classCount: 50 }), 5);
}

function statistics(values: ArrayLike<number>) {
  const all = Array.from(values);
  const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
  const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length;
  return { mean, deviation: Math.sqrt(variance), largest: Math.max(...all.map(Math.abs)) };
}

/** Computed by NumPy too, with fixtures/pytorch/counter_random.py. */
const FROZEN_KERNEL = [
  -0.3015630543231964,
  -0.689899206161499,
  0.288716197013855,
  -0.10470010340213776,
];
const FROZEN_BIAS = [-0.37251710891723633, 0.23740561306476593];

Deno.test("initialParameters() gives the same values for the same seed, forever", () => {
  const params = parametersOf([2], { type: "dense", units: 2 });
  assertEquals(Object.keys(params), ["dense_1/kernel", "dense_1/bias"]);
  assertEquals(Array.from(params["dense_1/kernel"].data), FROZEN_KERNEL);
  assertEquals(Array.from(params["dense_1/bias"].data), FROZEN_BIAS);
});

Deno.test("initialParameters() gives each parameter, seed and network values of its own", () => {
  const network = buildNetwork({
    inputShape: [4],
    layers: [{ type: "dense", units: 4 }, { type: "dense", units: 4 }],
    init: "torch",
  });
  const first = initialParameters(network, 1);
  assertNotEquals(first["dense_1/kernel"].data, first["dense_2/kernel"].data);
  assertNotEquals(
    initialParameters(network, 2)["dense_1/kernel"].data,
    first["dense_1/kernel"].data,
  );
  const second = initialParameters(network, 1, 2); // its parameter 0 has number 2
  assertEquals(second["dense_1/kernel"].data, first["dense_2/kernel"].data);
});

const FAN_IN: [string, number[], LayerSpec, number][] = [
  ["dense", [64], { type: "dense", units: 40 }, 64],
  ["maxout", [64], { type: "maxout", units: 20, pieces: 3 }, 64],
  ["conv", [8, 8, 16], { type: "conv", filters: 20, kernel: 3 }, 16 * 9],
  ["grouped conv", [8, 8, 16], { type: "conv", filters: 20, kernel: 3, groups: 2 }, 8 * 9],
  ["depthwise-conv", [8, 8, 64], { type: "depthwise-conv", kernel: 5, multiplier: 2 }, 25],
  // As PyTorch and Keras count it: by the outputs.
  ["conv-transpose", [8, 8, 16], { type: "conv-transpose", filters: 30, kernel: 4 }, 30 * 16],
];

for (const [what, inputShape, layer, fanIn] of FAN_IN) {
  Deno.test(`"torch" starts weight and bias from U(+-1/sqrt(fanIn)): ${what}`, () => {
    const limit = 1 / Math.sqrt(fanIn);
    const params = parametersOf(inputShape, layer);
    for (const { data } of Object.values(params)) {
      const { mean, largest } = statistics(data);
      assert(largest <= limit, `${largest} beyond ${limit}`);
      assert(largest > 0.8 * limit, `${largest} far from ${limit}`);
      assertAlmostEquals(mean, 0, 4 * limit / Math.sqrt(3 * data.length));
    }
    const { deviation } = statistics(Object.values(params)[0].data);
    assertAlmostEquals(deviation, limit / Math.sqrt(3), 0.05 * limit);
  });
}

Deno.test("the other initializers have their spread, and biases of 0", () => {
  const layer: LayerSpec = { type: "conv", filters: 64, kernel: 3 };
  const [fanIn, fanOut] = [9 * 32, 9 * 64];
  const expected: [InitializerSpec, number][] = [
    ["glorot-uniform", Math.sqrt(2 / (fanIn + fanOut))],
    ["he-normal", Math.sqrt(2 / fanIn)],
    [{ normal: 0.02 }, 0.02],
    ["zeros", 0],
  ];
  for (const [init, deviation] of expected) {
    const params = parametersOf([5, 5, 32], layer, init);
    const found = statistics(params["conv_1/kernel"].data);
    assertAlmostEquals(found.deviation, deviation, 0.02 * deviation, JSON.stringify(init));
    assertAlmostEquals(found.mean, 0, 0.03 * deviation, JSON.stringify(init));
    assert(params["conv_1/bias"].data.every((value) => value === 0));
  }
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  const glorot = statistics(
    parametersOf([5, 5, 32], layer, "glorot-uniform")["conv_1/kernel"].data,
  );
  assert(glorot.largest <= limit && glorot.largest > 0.99 * limit);
});

Deno.test("a layer's own initializer goes before the network's", () => {
  const params = parametersOf([4], { type: "dense", units: 4, init: "zeros" });
  assert(params["dense_1/kernel"].data.every((value) => value === 0));
});

Deno.test("scales and variances start at 1, offsets and means at 0, singular vectors at length 1", () => {
  const norm = parametersOf([4], { type: "batch-norm" });
  assertEquals(
    Object.fromEntries(Object.entries(norm).map(([name, { data }]) => [name, data[0]])),
    {
      "batch-norm_1/gamma": 1,
      "batch-norm_1/beta": 0,
      "batch-norm_1/moving_mean": 0,
      "batch-norm_1/moving_variance": 1,
    },
  );
  const spectral = parametersOf([4], { type: "dense", units: 9, spectralNorm: true });
  const { data } = spectral["dense_1/spectral_u"];
  assertAlmostEquals(Math.hypot(...data), 1, 1e-6);
  const attention = parametersOf([2, 2, 8], { type: "self-attention" });
  assertEquals(attention["self-attention_1/gamma"].data[0], 0);
  const embedding = parametersOf([4], { type: "label-embedding", units: 40 });
  assertAlmostEquals(statistics(embedding["label-embedding_1/table"].data).deviation, 1, 0.05);
});
