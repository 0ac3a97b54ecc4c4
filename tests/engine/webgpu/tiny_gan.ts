/**
 * A small GAN step with everything that is hard to capture: two networks, dropout, batch norm with
 * running statistics, a gradient penalty, Adam with bias corrections in the state, an EMA.
 */
import { tf } from "../../../src/tensor/tf.ts";
import type { StepProgram } from "../../../src/engine/types.ts";
import type { HostTensor, HostTensors, StepRandom, TensorMap } from "../../../src/tensor/types.ts";
import { normals } from "./helpers.ts";

const LATENT = 6;
const HIDDEN = 20;
const DATA = 5;
/** Large, so that a gradient which is 0 but for rounding (a bias before batch norm) moves nothing. */
const EPSILON = 1e-3;

const SHAPES: Record<string, number[]> = {
  "g.w1": [LATENT, HIDDEN],
  "g.b1": [HIDDEN],
  "g.w2": [HIDDEN, DATA],
  "g.b2": [DATA],
  "d.w1": [DATA, HIDDEN],
  "d.b1": [HIDDEN],
  "d.w2": [HIDDEN, 1],
  "d.b2": [1],
};

/** The state before the first step. */
export function tinyState(): HostTensors {
  const state: HostTensors = {};
  const zeros = (shape: number[]): HostTensor => ({
    shape,
    dtype: "float32",
    data: new Float32Array(tf.util.sizeFromShape(shape)),
  });
  Object.entries(SHAPES).forEach(([name, shape], stream) => {
    const data = normals(shape, stream).map((x) => x * 0.3);
    state[name] = { shape, dtype: "float32", data };
    state[`m.${name}`] = zeros(shape);
    state[`v.${name}`] = zeros(shape);
    if (name.startsWith("g.")) state[`ema.${name}`] = { shape, dtype: "float32", data };
  });
  state["bn.mean"] = zeros([HIDDEN]);
  state["bn.var"] = { shape: [HIDDEN], dtype: "float32", data: new Float32Array(HIDDEN).fill(1) };
  return state;
}

/** The step for a batch size. Inputs: `real`, `lr`, `beta1Power` (both networks'), `beta2Power`. */
export function tinyProgram(batch: number): StepProgram {
  return {
    inputs: {
      real: { shape: [batch, DATA], dtype: "float32" },
      lr: { shape: [], dtype: "float32" },
      beta1Power: { shape: [], dtype: "float32" },
      beta2Power: { shape: [], dtype: "float32" },
    },
    step: (state, inputs, random) => tinyStep(state, inputs, random, batch),
  };
}

/** The inputs of `count` steps from `first`. */
export function tinyBatches(batch: number, first: number, count: number) {
  return Array.from({ length: count }, (_, k) => ({
    real: normals([batch, DATA], 1000 + first + k),
    lr: Float32Array.of(0.01 / (1 + 0.01 * (first + k))),
    beta1Power: Float32Array.of(0.5 ** (first + k + 1)),
    beta2Power: Float32Array.of(0.99 ** (first + k + 1)),
  }));
}

function tinyStep(before: TensorMap, inputs: TensorMap, random: StepRandom, batch: number) {
  const state = { ...before };
  const { real } = inputs;
  const generate = (p: TensorMap, keepStatistics: boolean) => {
    const h = tf.add(
      tf.matMul(random.normal([batch, LATENT]) as tf.Tensor2D, p["g.w1"]),
      p["g.b1"],
    );
    const mean = tf.mean(h, 0, true);
    const variance = tf.mean(tf.square(tf.sub(h, mean)), 0, true);
    if (keepStatistics) {
      state["bn.mean"] = tf.add(tf.mul(state["bn.mean"], 0.9), tf.mul(tf.squeeze(mean), 0.1));
      state["bn.var"] = tf.add(tf.mul(state["bn.var"], 0.9), tf.mul(tf.squeeze(variance), 0.1));
    }
    const normed = tf.relu(tf.div(tf.sub(h, mean), tf.sqrt(tf.add(variance, 1e-5))));
    return tf.tanh(tf.add(tf.matMul(normed as tf.Tensor2D, p["g.w2"]), p["g.b2"]));
  };
  const discriminate = (p: TensorMap, x: tf.Tensor, training: boolean) => {
    let h = tf.add(tf.matMul(x as tf.Tensor2D, p["d.w1"]), p["d.b1"]);
    h = tf.add(tf.mul(h, 0.2), tf.mul(tf.relu(h), 0.8)); // leaky ReLU, safe to differentiate twice
    if (training) {
      const keep = tf.cast(tf.greaterEqual(random.uniform([batch, HIDDEN]), 0.3), "float32");
      h = tf.mul(h, tf.div(keep, 0.7));
    }
    return tf.add(tf.matMul(h as tf.Tensor2D, p["d.w2"]), p["d.b2"]);
  };
  const adam = (prefix: string, loss: (p: TensorMap) => tf.Tensor): tf.Tensor => {
    const names = Object.keys(SHAPES).filter((name) => name.startsWith(prefix));
    const { value, grads } = tf.valueAndGrads((...tensors: tf.Tensor[]) =>
      loss({ ...state, ...Object.fromEntries(names.map((name, k) => [name, tensors[k]])) })
    )(names.map((name) => state[name]));
    names.forEach((name, k) => {
      const m = tf.add(tf.mul(state[`m.${name}`], 0.5), tf.mul(grads[k], 0.5));
      const v = tf.add(tf.mul(state[`v.${name}`], 0.99), tf.mul(tf.square(grads[k]), 0.01));
      const mHat = tf.div(m, tf.sub(1, inputs.beta1Power));
      const vHat = tf.div(v, tf.sub(1, inputs.beta2Power));
      const change = tf.div(mHat, tf.add(tf.sqrt(vHat), EPSILON));
      state[`m.${name}`] = m;
      state[`v.${name}`] = v;
      state[name] = tf.sub(state[name], tf.mul(inputs.lr, change));
    });
    return value;
  };
  const fake = generate(state, true);
  const dLoss = adam("d.", (p) => {
    const a = random.uniform([batch, 1]);
    const mixed = tf.add(tf.mul(a, real), tf.mul(tf.sub(1, a), fake));
    const gradient = tf.grad((x) => tf.sum(discriminate(p, x, false)))(mixed);
    const norm = tf.sqrt(tf.add(tf.sum(tf.square(gradient), 1), 1e-12));
    const penalty = tf.mean(tf.square(tf.sub(norm, 1)));
    const r = discriminate(p, real, true);
    const f = discriminate(p, fake, true);
    const loss = tf.add(tf.mean(tf.softplus(tf.neg(r))), tf.mean(tf.softplus(f)));
    return tf.add(loss, tf.mul(penalty, 0.1));
  });
  const gLoss = adam(
    "g.",
    (p) => tf.mean(tf.softplus(tf.neg(discriminate(state, generate(p, false), true)))),
  );
  for (const name of Object.keys(SHAPES).filter((name) => name.startsWith("g."))) {
    const old = state[`ema.${name}`];
    state[`ema.${name}`] = tf.add(old, tf.mul(tf.sub(state[name], old), 0.05));
  }
  return { state, scalars: { dLoss, gLoss } };
}
