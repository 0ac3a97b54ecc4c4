/** Dropout that stays when a network is used: its masks follow from each sample's noise alone. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import type { LayerSpec } from "../../src/config/network.ts";
import { HostStepRandom, toTensors } from "../../src/engine/eager/engine.ts";
import { tf } from "../../src/tensor/tf.ts";
import { applyNetwork, buildNetwork, initialParameters } from "../../src/nn/mod.ts";
import { fillNoise } from "../../src/random/latents.ts";

const FROZEN = [1384, 1108, 1789, 769];
const stays: LayerSpec = { type: "dropout", rate: 0.4, atSampling: true };

function build(...layers: LayerSpec[]) {
  return buildNetwork({ inputShape: [6], layers, init: "torch" });
}

function noiseOf(seeds: number[], size: number): tf.Tensor {
  return tf.tensor2d(seeds.map((seed) => [...fillNoise(new Float32Array(size), seed)]));
}

async function onCpu(test: () => void): Promise<void> {
  await tf.setBackend("cpu");
  tf.tidy(test);
}

Deno.test("dropout at sampling keeps what its sample's noise says, scaled", () =>
  onCpu(() => {
    const network = build(stays);
    assertEquals(network.noiseSize, 6);
    const noise = noiseOf([5, 9], 6);
    const { output } = applyNetwork(network, {}, tf.ones([2, 6]), { training: false, noise });
    const expected = Array.from(
      noise.dataSync(),
      (u) => u >= Math.ceil(0.4 * 2048) / 2048 ? Math.fround(1 / 0.6) : 0,
    );
    assertEquals(Array.from(output.dataSync()), expected);
    assert(expected.includes(0) && expected.some((value) => value > 0));
  }));

Deno.test("dropout at sampling changes no bit of the training", () =>
  onCpu(() => {
    const train = (layer: LayerSpec) =>
      applyNetwork(build(layer), {}, tf.ones([4, 6]), {
        training: true,
        random: new HostStepRandom(9, 2),
      }).output.dataSync();
    assertEquals(train(stays), train({ type: "dropout", rate: 0.4 }));
  }));

Deno.test("applyNetwork() gives each layer values of its own, and a sample the same in any batch", () =>
  onCpu(() => {
    const network = build(
      stays,
      { type: "dense", units: 12 },
      { type: "residual", body: [{ ...stays, rate: 0.5 }], shortcut: [] },
      { type: "reshape", shape: [2, 3, 2] },
      { type: "conv", filters: 2, kernel: 3, padding: 1 },
      stays,
    );
    assertEquals(network.noiseSize, 6 + 12 + 12);
    const params = toTensors(initialParameters(network, 1));
    const x = tf.randomNormal([3, 6], 0, 1, "float32", 1);
    const apply = (rows: tf.Tensor, seeds: number[]) =>
      applyNetwork(network, params, rows, { training: false, noise: noiseOf(seeds, 30) }).output;
    const all = apply(x, [4, 5, 6]).dataSync();
    const last = apply(tf.slice(x, [2, 0], [1, 6]), [6]).dataSync();
    assertEquals(last, all.subarray(24));
    assert(apply(x, [4, 5, 7]).dataSync().some((value, i) => value !== all[i]));
    // One dense layer's output with its input's mask changed in the first layer's values only.
    const noise = noiseOf([4, 5, 6], 30).dataSync();
    const other = noise.map((value, i) => i % 30 < 6 ? (value + 0.5) % 1 : value);
    const changed = applyNetwork(network, params, x, {
      training: false,
      noise: tf.tensor2d(other, [3, 30]),
    }).output.dataSync();
    assert(changed.some((value, i) => value !== all[i]));
  }));

Deno.test("applyNetwork() refuses noise that is missing or of another size", () =>
  onCpu(() => {
    const network = build(stays);
    const apply = (noise?: tf.Tensor) => () =>
      applyNetwork(network, {}, tf.ones([2, 6]), { training: false, noise });
    assertThrows(
      apply(),
      TypeError,
      "context.noise is missing, and its dropout at sampling takes [2,6]",
    );
    assertThrows(apply(tf.ones([1, 6])), TypeError, "context.noise is [1,6]");
    assertEquals(build({ ...stays, rate: 0 }).noiseSize, 0);
  }));

Deno.test("fillNoise() gives frozen multiples of 1/2048, uniform, and others than the latent's", () => {
  assertEquals(
    Array.from(fillNoise(new Float32Array(4), 3), (value) => value * 2048),
    FROZEN,
  );
  const many = fillNoise(new Float32Array(20_000), 1);
  assert(many.every((value) => value >= 0 && value < 1 && Number.isInteger(value * 2048)));
  const mean = many.reduce((sum, value) => sum + value, 0) / many.length;
  assert(Math.abs(mean - 0.5 + 1 / 4096) < 0.006, `mean ${mean}`); // 3 standard errors
});

Deno.test("gumbel-softmax draws Gumbel noise for its columns while training, and passes the others on", () =>
  onCpu(() => {
    const network = build({ type: "gumbel-softmax", groups: [[4, 2], [0, 3]], temperature: 0.5 });
    assertEquals(network.noiseSize, 5);
    const x = tf.tensor2d([[0.3, -1, 2, 7, 0.1, -0.4]]);
    const { output } = applyNetwork(network, {}, x, {
      training: true,
      random: new HostStepRandom(9, 2),
    });
    const draws = new HostStepRandom(9, 2).uniform([1, 5]).dataSync();
    const gumbel = Array.from(draws, (u) => -Math.log(-Math.log(u)));
    const softmax = (logits: number[]): number[] => {
      const powers = logits.map((logit) => Math.exp(logit / 0.5));
      return powers.map((power) => power / powers.reduce((sum, value) => sum + value));
    };
    const expected = [
      ...softmax([0.3 + gumbel[0], -1 + gumbel[1], 2 + gumbel[2]]),
      7,
      ...softmax([0.1 + gumbel[3], -0.4 + gumbel[4]]),
    ];
    for (const [i, value] of output.dataSync().entries()) {
      assert(
        Math.abs(value - expected[i]) < 1e-5,
        `column ${i}: ${value}, expected ${expected[i]}`,
      );
    }
  }));
