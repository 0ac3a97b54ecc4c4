import { assertAlmostEquals, assertEquals } from "@std/assert";
import { optimizerSchema, type OptimizerSpec } from "../../src/config/optimizer.ts";
import { toTensors } from "../../src/engine/eager/engine.ts";
import { tf } from "../../src/tensor/tf.ts";
import type { HostTensors, TensorMap } from "../../src/tensor/types.ts";
import { STREAMS } from "../../src/random/counter_random.ts";
import {
  applyUpdate,
  hyperparameterCount,
  hyperparameters,
  initialSlots,
} from "../../src/training/optimizers.ts";
import {
  assertAllMatch,
  readGolden,
  type Summaries,
  testOnBackends,
  uniformAt,
  valuesOf,
} from "../nn/golden.ts";

interface OptimizerCase {
  spec: OptimizerSpec;
  shapes: Record<string, number[]>;
  scales: number[];
  steps: Summaries[];
}

for (const golden of readGolden<OptimizerCase>("optimizers")) {
  const title = JSON.stringify(golden.spec).replaceAll('"', "");
  testOnBackends(`applyUpdate() follows PyTorch for six steps: ${title}`, async () => {
    const spec = optimizerSchema.parse(golden.spec);
    const host: HostTensors = {};
    Object.entries(golden.shapes).forEach(([name, shape], index) => {
      const data = uniformAt(shape, STREAMS.initializer, index, -0.5);
      host[name] = { shape, dtype: "float32", data };
    });
    const before = tf.memory().numTensors;
    let params = toTensors(host);
    let slots = toTensors(initialSlots(spec, host));
    for (const [step, expected] of golden.steps.entries()) {
      const grads: TensorMap = {};
      Object.entries(golden.shapes).forEach(([name, shape], index) => {
        grads[name] = tf.tensor(uniformAt(shape, index, step, -0.4), shape);
      });
      const hyper = tf.tensor1d(hyperparameters(spec, step + 1, golden.scales[step]));
      const next = tf.tidy(() => {
        const { params: p, slots: s } = applyUpdate(spec, params, { grads, slots, hyper });
        return { p, s };
      });
      assertEquals(Object.keys(next.s).sort(), Object.keys(slots).sort());
      tf.dispose([params, slots, grads, hyper]);
      params = next.p;
      slots = next.s;
      assertAllMatch(await valuesOf(params), expected, `step ${step + 1}`);
    }
    tf.dispose([params, slots]);
    assertEquals(tf.memory().numTensors, before, "tensors left over");
  });
}

Deno.test("hyperparameters() always has hyperparameterCount() numbers, and scales the learning rate", () => {
  for (const { spec } of readGolden<OptimizerCase>("optimizers")) {
    for (const update of [1, 2, 1000, 1_000_000]) {
      const hyper = hyperparameters(spec, update, 1);
      assertEquals(hyper.length, hyperparameterCount(spec));
      assertEquals(hyper.every(Number.isFinite), true);
      assertAlmostEquals(hyperparameters(spec, update, 0.5)[0], hyper[0] / 2, 1e-9);
    }
  }
});

Deno.test("hyperparameters() computes Adam's bias corrections in double precision", () => {
  const spec: OptimizerSpec = { type: "adam", learningRate: 1e-4 };
  const hyper = hyperparameters(spec, 1, 1);
  assertEquals(hyper[0], Math.fround(1e-3));
  assertEquals(hyper[5], Math.fround(1 - 0.999));
  // At step 1 Adam moves each weight by the learning rate, whatever the gradient.
  assertAlmostEquals(hyper[1] * Math.sqrt(hyper[5]), 1, 1e-6);
});

Deno.test("initialSlots() names a slot after its parameter", () => {
  const params: HostTensors = {
    "dense_1/kernel": { shape: [2, 3], dtype: "float32", data: new Float32Array(6) },
  };
  const slots = initialSlots({ type: "adam", learningRate: 1 }, params);
  assertEquals(Object.keys(slots), ["dense_1/kernel/m", "dense_1/kernel/v"]);
  assertEquals(slots["dense_1/kernel/v"].shape, [2, 3]);
  assertEquals(initialSlots({ type: "sgd", learningRate: 1 }, params), {});
});
