import { assertAlmostEquals, assertEquals } from "@std/assert";
import { tf } from "../../src/tensor/tf.ts";
import type { StepRandom, TensorMap } from "../../src/tensor/types.ts";
import { valueAndGradients } from "../../src/nn/mod.ts";
import {
  discriminatorPenalties,
  draganPenalty,
  gradientPenalty,
  squaredGradientNorms,
  zeroCenteredPenalty,
} from "../../src/objectives/penalties.ts";
import { STREAMS } from "../../src/random/counter_random.ts";
import {
  assertAllMatch,
  normalAt,
  readGolden,
  type Summaries,
  testOnBackends,
  uniformAt,
  valuesOf,
} from "../nn/golden.ts";

interface PenaltyCase {
  penalty: string;
  value: number;
  gradients: Summaries;
}

const BATCH = 5;
const SHAPES = { w1: [6, 5], b1: [5], w2: [5, 4], b2: [4], w3: [4, 1] };

function criticOf(params: TensorMap): (x: tf.Tensor) => tf.Tensor {
  const { w1, b1, w2, b2, w3 } = params as Record<string, tf.Tensor2D>;
  return (x) => {
    const hidden = tf.tanh(tf.add(tf.matMul(x as tf.Tensor2D, w1), b1));
    return tf.matMul(tf.leakyRelu(tf.add(tf.matMul(hidden as tf.Tensor2D, w2), b2), 0.2), w3);
  };
}

function penaltyOf(name: string, critic: (x: tf.Tensor) => tf.Tensor): tf.Scalar {
  const samples = (stream: number): tf.Tensor =>
    tf.tensor(uniformAt([BATCH, 6], stream), [BATCH, 6]);
  const [real, fake] = [samples(0), samples(1)];
  const share = tf.tensor(uniformAt([BATCH, 1], 2), [BATCH, 1]);
  switch (name) {
    case "gradientPenalty":
      return gradientPenalty(critic, { real, fake, share });
    case "gradientPenaltyToZero":
      return gradientPenalty(critic, { real, fake, share, target: 0 });
    case "dragan":
      return draganPenalty(critic, { real, noise: tf.tensor(normalAt([BATCH, 6], 3), [BATCH, 6]) });
    case "r1":
      return zeroCenteredPenalty(critic, real);
    case "r2":
      return zeroCenteredPenalty(critic, fake);
    default:
      throw new Error(`no such penalty: ${name}`);
  }
}

for (const golden of readGolden<PenaltyCase>("penalties")) {
  testOnBackends(`penalties give PyTorch's values and gradients: ${golden.penalty}`, async () => {
    const params: TensorMap = {};
    Object.entries(SHAPES).forEach(([name, shape], index) => {
      params[name] = tf.tensor(uniformAt(shape, STREAMS.initializer, index, -0.5), shape);
    });
    const before = tf.memory().numTensors;
    const result = valueAndGradients((leaves) => ({
      loss: penaltyOf(golden.penalty, criticOf(leaves)),
      aux: {},
    }), params);
    assertAlmostEquals((await result.loss.data())[0], golden.value, 1e-5);
    const seen = Object.keys(golden.gradients).map((name) => [name, result.grads[name]]);
    assertAllMatch(await valuesOf(Object.fromEntries(seen)), golden.gradients, "gradient");
    tf.dispose([result.loss, result.grads]);
    assertEquals(tf.memory().numTensors, before, "tensors left over");
    tf.dispose(params);
  });
}

/** D(x) = |x|^2 / 2, whose gradient at x is x. */
const bowl = (x: tf.Tensor): tf.Tensor => tf.mul(0.5, tf.sum(tf.square(x), 1, true));

Deno.test("penalties have their analytic values for D(x) = |x|^2 / 2", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const real = tf.tensor([[3, 4], [0, 0]]);
    const fake = tf.tensor([[0, 0], [6, 8]]);
    assertEquals([...squaredGradientNorms(bowl, real).dataSync()], [25, 0]);
    assertAlmostEquals(zeroCenteredPenalty(bowl, real).dataSync()[0], 6.25, 1e-6);
    const share = tf.tensor([[1], [0.5]]); // at (3, 4) and (3, 4): gradient norms 5 and 5
    const penalty = gradientPenalty(bowl, { real, fake, share });
    assertAlmostEquals(penalty.dataSync()[0], 16, 1e-5);
  });
});

Deno.test("gradientPenalty() has a finite gradient where the gradient is 0", async () => {
  await tf.setBackend("cpu");
  tf.tidy(() => {
    const zeros = tf.zeros([2, 3]);
    const share = tf.zeros([2, 1]);
    const gradient = tf.grad((w: tf.Tensor) =>
      gradientPenalty((x) => tf.sum(tf.mul(x, w), 1, true), { real: zeros, fake: zeros, share })
    )(tf.zeros([1, 3]));
    assertEquals([...gradient.dataSync()], [0, 0, 0]);
  });
});

Deno.test("discriminatorPenalties() adds the weighted penalties and draws only what they need", async () => {
  await tf.setBackend("cpu");
  const drawn: string[] = [];
  const random: StepRandom = {
    uniform(shape) {
      drawn.push(`uniform ${shape}`);
      return tf.fill(shape, 0.5);
    },
    normal(shape) {
      drawn.push(`normal ${shape}`);
      return tf.zeros(shape);
    },
  };
  tf.tidy(() => {
    const inputs = {
      critic: bowl,
      real: tf.tensor([[3, 4], [0, 0]]),
      fake: tf.tensor([[0, 0], [6, 8]]),
      random,
    };
    const name = "wasserstein";
    assertEquals(discriminatorPenalties({ name }, inputs), undefined);
    assertEquals(drawn, []);
    const valueOf = (spec: object): number =>
      discriminatorPenalties({ name, ...spec }, inputs)!.dataSync()[0];
    assertAlmostEquals(valueOf({ r1: { gamma: 2 } }), 12.5, 1e-5);
    assertAlmostEquals(valueOf({ r1: { gamma: 2 }, r2: { gamma: 0.5 } }), 12.5 + 12.5, 1e-5);
    assertEquals(drawn, []);
    // Halfway: (1.5, 2) with gradient norm 2.5 and (3, 4) with norm 5: ((2.5 - 1)^2 + 4^2) / 2
    assertAlmostEquals(valueOf({ gradientPenalty: { weight: 10 } }), 91.25, 1e-4);
    assertEquals(drawn, ["uniform 2,1"]);
    // Without noise at the reals themselves: gradient norms 5 and 0
    assertAlmostEquals(valueOf({ dragan: { weight: 1, target: 2 } }), (9 + 4) / 2, 1e-5);
    assertEquals(drawn, ["uniform 2,1", "normal 2,2"]);
  });
});
