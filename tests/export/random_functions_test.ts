/**
 * Random functions with open height and width, exported, and run against TensorFlow.js at several sizes.
 * GANFORGE_RANDOM_FUNCTIONS says how many (default 60), GANFORGE_RANDOM_FUNCTIONS_FROM from which seed.
 */
import { assertEquals } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import type { HostTensor, HostTensors, TensorMap } from "../../src/tensor/types.ts";
import { exportOnnx } from "../../src/export/mod.ts";
import { openModel } from "../../src/ort/model_session.ts";
import { fillNormal } from "../../src/random/counter_random.ts";
import { randomFunction } from "./random_functions.ts";

const count = Number(Deno.env.get("GANFORGE_RANDOM_FUNCTIONS") ?? 60);
const first = Number(Deno.env.get("GANFORGE_RANDOM_FUNCTIONS_FROM") ?? 0);

/** Batch, height, width, and the height of the second input. */
const SIZES = [[1, 16, 16, 4], [2, 17, 20, 7], [1, 22, 19, 2]];

const noRandom = {
  normal: (): tf.Tensor => {
    throw new Error("draws");
  },
  uniform: (): tf.Tensor => {
    throw new Error("draws");
  },
};

/** The largest difference, as a share of values beyond 1. */
async function difference(seed: number): Promise<number> {
  const { target } = randomFunction(seed);
  const { bytes } = await exportOnnx(target, { opset: 13 + seed % 9, check: false });
  await using session = await openModel(bytes);
  let largest = 0;
  for (const [batch, height, width, other] of SIZES) {
    const shapes = { a: [batch, height, width, 3], b: [batch, other, 5, 3], scale: [batch] };
    const feeds: HostTensors = Object.fromEntries(
      Object.entries(shapes).map(([name, shape], stream): [string, HostTensor] => {
        const data = new Float32Array(shape.reduce((product, side) => product * side, 1));
        fillNormal(data, { seed, stream, step: height });
        return [name, { shape, dtype: "float32", data }];
      }),
    );
    const outputs = await session.run(feeds);
    const expected = tf.tidy(() => {
      const tensors: TensorMap = Object.fromEntries(
        Object.entries(feeds).map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]),
      );
      return target.fn(tensors, noRandom) as TensorMap;
    });
    for (const [name, tensor] of Object.entries(expected)) {
      assertEquals(outputs[name].shape, tensor.shape, name);
      tensor.dataSync().forEach((value, index) => {
        const gap = Math.abs(value - Number(outputs[name].data[index])) /
          Math.max(1, Math.abs(value));
        largest = Math.max(largest, Number.isNaN(gap) ? Infinity : gap);
      });
    }
    tf.dispose(expected);
  }
  return largest;
}

Deno.test(`exportOnnx() gives TensorFlow.js' values for ${count} random functions`, async () => {
  await tf.setBackend("cpu");
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (let seed = first; seed < first + count; seed++) {
    const { steps } = randomFunction(seed);
    steps.forEach((name) => seen.add(name));
    try {
      const gap = await difference(seed);
      if (gap > 1e-4) wrong.push(`function ${seed}: ${gap}; ${steps}`);
    } catch (error) {
      wrong.push(`function ${seed}: ${error}; ${steps}`);
    }
  }
  assertEquals(wrong, []);
  if (count >= 60) assertEquals(seen.size, 17);
});
