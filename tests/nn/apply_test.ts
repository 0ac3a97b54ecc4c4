import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import type { LayerSpec } from "../../src/config/network.ts";
import { HostStepRandom, toTensors } from "../../src/engine/eager/engine.ts";
import { tf } from "../../src/tensor/tf.ts";
import type { TensorMap } from "../../src/tensor/types.ts";
import { UserError } from "../../src/errors.ts";
import { applyNetwork, buildNetwork, initialParameters, type Network } from "../../src/nn/mod.ts";
import { fillUniform } from "../../src/random/counter_random.ts";

function prepare(
  inputShape: number[],
  ...layers: LayerSpec[]
): { network: Network; params: TensorMap } {
  const network = buildNetwork({ inputShape, layers, init: "torch", classCount: 3 });
  return { network, params: toTensors(initialParameters(network, 1)) };
}

/** Runs a test on the cpu backend and frees its tensors. */
async function onCpu(test: () => void): Promise<void> {
  await tf.setBackend("cpu");
  tf.engine().startScope();
  try {
    test();
  } finally {
    tf.engine().endScope();
  }
}

Deno.test("dropout keeps what draws rate or more, scaled, and nothing is lost when evaluated", () =>
  onCpu(() => {
    const { network, params } = prepare([6], { type: "dropout", rate: 0.3 });
    const x = tf.ones([4, 6]);
    const random = new HostStepRandom(9, 2);
    const { output } = applyNetwork(network, params, x, { training: true, random });
    const draws = fillUniform(new Float32Array(24), { seed: 9, stream: 0, step: 2 });
    const expected = Array.from(draws, (u) => (u >= Math.fround(0.3) ? Math.fround(1 / 0.7) : 0));
    assertEquals(Array.from(output.dataSync()), expected);
    assertEquals(expected.includes(0), true);
    const evaluated = applyNetwork(network, params, x, { training: false }).output;
    assertEquals(Array.from(evaluated.dataSync()), Array(24).fill(1));
  }));

Deno.test("dropout keeps the mean over many values", () =>
  onCpu(() => {
    const { network, params } = prepare([20_000], { type: "dropout", rate: 0.25 });
    const random = new HostStepRandom(1, 1);
    const { output } = applyNetwork(network, params, tf.ones([1, 20_000]), {
      training: true,
      random,
    });
    assertAlmostEquals(tf.mean(output).dataSync()[0], 1, 0.02);
  }));

Deno.test("dropout with rate 0 draws nothing", () =>
  onCpu(() => {
    const { network, params } = prepare([6], { type: "dropout", rate: 0 });
    const { output } = applyNetwork(network, params, tf.ones([1, 6]), { training: true });
    assertEquals(Array.from(output.dataSync()), [1, 1, 1, 1, 1, 1]);
  }));

Deno.test("each random layer draws from a stream of its own", () =>
  onCpu(() => {
    const noise: LayerSpec = { type: "gaussian-noise", sigma: 0.5 };
    const { network, params } = prepare([5], noise, noise);
    const one = prepare([5], noise);
    const x = tf.zeros([1, 5]);
    const draw = (net: { network: Network; params: TensorMap }): number[] => {
      const context = { training: true, random: new HostStepRandom(4, 0) };
      return Array.from(applyNetwork(net.network, net.params, x, context).output.dataSync());
    };
    assertEquals(draw(one), draw(one));
    assertNotEquals(draw({ network, params }), draw(one).map((value) => 2 * value));
  }));

Deno.test("gaussian-noise has its sigma while training and none when evaluated", () =>
  onCpu(() => {
    const { network, params } = prepare([5000], { type: "gaussian-noise", sigma: 0.3 });
    const x = tf.fill([2, 5000], 7);
    const random = new HostStepRandom(1, 0);
    const { output } = applyNetwork(network, params, x, { training: true, random });
    const { mean, variance } = tf.moments(output);
    assertAlmostEquals(mean.dataSync()[0], 7, 0.01);
    assertAlmostEquals(Math.sqrt(variance.dataSync()[0]), 0.3, 0.01);
    const evaluated = applyNetwork(network, params, x, { training: false }).output;
    assertEquals(evaluated.dataSync()[0], 7);
  }));

Deno.test("a random layer without random numbers says so", () =>
  onCpu(() => {
    const { network, params } = prepare([6], { type: "dropout", rate: 0.3 });
    assertThrows(
      () => applyNetwork(network, params, tf.ones([1, 6]), { training: true }),
      UserError,
      "Layer dropout_1 (dropout) does not fit an input of shape [6]: it draws random numbers while " +
        "training: give context.random",
    );
  }));

Deno.test("batch norm refuses to train on one value a channel", () =>
  onCpu(() => {
    const { network, params } = prepare([6], { type: "batch-norm" });
    assertThrows(
      () => applyNetwork(network, params, tf.ones([1, 6]), { training: true }),
      UserError,
      "batch norm cannot train on one value a channel: use a batch of 2 or more",
    );
    applyNetwork(network, params, tf.ones([1, 6]), { training: false });
  }));

Deno.test("applyNetwork() updates buffers only while training, and changes no parameter", () =>
  onCpu(() => {
    const { network, params } = prepare(
      [6],
      { type: "dense", units: 3, spectralNorm: true },
      { type: "batch-norm" },
    );
    const x = tf.tensor([[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]]);
    const before = Object.values(params).map((tensor) => Array.from(tensor.dataSync()));
    const trained = applyNetwork(network, params, x, { training: true });
    assertEquals(Object.keys(trained.updates).sort(), [
      "batch-norm_1/moving_mean",
      "batch-norm_1/moving_variance",
      "dense_1/spectral_u",
    ]);
    assertEquals(applyNetwork(network, params, x, { training: false }).updates, {});
    assertEquals(Object.values(params).map((tensor) => Array.from(tensor.dataSync())), before);
  }));

Deno.test("spectral norm brings the largest singular value to 1 after some iterations", () =>
  onCpu(() => {
    const { network, params } = prepare([5], {
      type: "dense",
      units: 4,
      bias: false,
      spectralNorm: true,
    });
    let current = params;
    for (let i = 0; i < 50; i++) {
      const { updates } = applyNetwork(network, current, tf.ones([1, 5]), { training: true });
      current = { ...current, ...updates };
    }
    // The rows of the identity give the weight itself; its largest stretch, by power iteration.
    const weight = applyNetwork(network, current, tf.eye(5), { training: false }).output;
    let v = tf.ones([4, 1]);
    let length = 0;
    for (let i = 0; i < 100; i++) {
      const moved = tf.matMul(
        weight as tf.Tensor2D,
        tf.matMul(weight as tf.Tensor2D, v as tf.Tensor2D),
        true,
      );
      length = tf.norm(moved).dataSync()[0];
      v = tf.div(moved, length);
    }
    assertAlmostEquals(Math.sqrt(length), 1, 1e-4);
  }));

Deno.test("applyNetwork() names what is missing or has another shape", () =>
  onCpu(() => {
    const { network, params } = prepare([4], { type: "label-embedding", units: 2 });
    const x = tf.ones([2, 4]);
    const context = { training: false };
    assertThrows(
      () => applyNetwork(network, {}, x, context),
      TypeError,
      "parameter label-embedding_1/table is missing",
    );
    assertThrows(
      () => applyNetwork(network, params, tf.ones([2, 5]), context),
      TypeError,
      "a batch of shape [2,5]: it takes [n,4]",
    );
    assertThrows(
      () => applyNetwork(network, params, x, context),
      TypeError,
      "it uses labels, and context.labels is missing",
    );
    const labels = tf.tensor1d([0, 2], "int32");
    assert(applyNetwork(network, params, x, { training: false, labels }).output.size === 12);
  }));
