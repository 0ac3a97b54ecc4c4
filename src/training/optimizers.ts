/**
 * Optimizers as pure functions, with PyTorch's formulas in PyTorch's order of operations.
 *
 * All values that depend on the step or the config are computed on the host in double precision and
 * come in as one vector, so a step that is captured once or exported as a graph has no constants of
 * its own and a schedule can change the learning rate.
 */
import { DEFAULTS } from "../config/defaults.ts";
import type { AdamSpec, OptimizerSpec, RmsPropSpec, SgdSpec } from "../config/optimizer.ts";
import { tf } from "../tensor/tf.ts";
import type { HostTensors, TensorMap } from "../tensor/types.ts";

const { sgd: SGD, adam: ADAM, rmsprop: RMSPROP } = DEFAULTS;

/** What an update of some parameters takes besides them. */
export interface UpdateGiven {
  /** A gradient for each parameter. */
  grads: TensorMap;
  /** The state, as {@linkcode initialSlots} names it. */
  slots: TensorMap;
  /** {@linkcode hyperparameters} of this update, `[hyperparameterCount]` */
  hyper: tf.Tensor1D;
}

/** Parameters and optimizer state after an update. */
export interface OptimizedParams {
  /** The new parameters. */
  params: TensorMap;
  /** The new state, named as before. */
  slots: TensorMap;
}

/** One parameter's tensors while it is updated. */
interface ParameterState {
  param: tf.Tensor;
  grad: tf.Tensor;
  /** This parameter's slots by their short names. */
  slots: TensorMap;
}

/** Reads entry `index` of the hyperparameter vector, a scalar. */
type Hyper = (index: number) => tf.Tensor;

/** An optimizer of one type. */
interface Optimizer<Spec> {
  /** Short names of the tensors that it keeps for each parameter. */
  slots(spec: Spec): string[];
  /** The vector's length, which does not depend on the spec's numbers. */
  hyperCount: number;
  /** The vector at update `t`, counted from 1. */
  hyper(spec: Spec, t: number, learningRateScale: number): number[];
  update(spec: Spec, state: ParameterState, hyper: Hyper): { param: tf.Tensor; slots: TensorMap };
}

/** `grad + decay * param`, where there is a decay. */
function withDecay(
  spec: OptimizerSpec,
  { param, grad }: ParameterState,
  decay: () => tf.Tensor,
): tf.Tensor {
  return spec.weightDecay ? tf.add(grad, tf.mul(param, decay())) : grad;
}

/** `b = momentum b + g`; `p -= lr b`, or `lr (g + momentum b)` with Nesterov's (torch.optim.SGD). */
const sgd: Optimizer<SgdSpec> = {
  slots: ({ momentum }) => (momentum ? ["momentum"] : []),
  hyperCount: 3,
  hyper(spec, _t, scale) {
    const { learningRate, momentum = SGD.momentum, weightDecay = SGD.weightDecay } = spec;
    return [learningRate * scale, momentum, weightDecay];
  },
  update(spec, state, hyper) {
    const grad = withDecay(spec, state, () => hyper(2));
    let direction = grad;
    const slots: TensorMap = {};
    if (spec.momentum) {
      const buffer = tf.add(tf.mul(state.slots.momentum, hyper(1)), grad);
      slots.momentum = buffer;
      direction = spec.nesterov ? tf.add(grad, tf.mul(buffer, hyper(1))) : buffer;
    }
    return { param: tf.sub(state.param, tf.mul(direction, hyper(0))), slots };
  },
};

/**
 * `m = b1 m + (1 - b1) g`; `v = b2 v + (1 - b2) g^2`;
 * `p -= lr / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + epsilon)` (Kingma and Ba 2015; torch.optim.Adam).
 */
const adam: Optimizer<AdamSpec> = {
  slots: () => ["m", "v"],
  hyperCount: 8,
  hyper(spec, t, scale) {
    const { learningRate, beta1 = ADAM.beta1, beta2 = ADAM.beta2 } = spec;
    const { epsilon = ADAM.epsilon, weightDecay = ADAM.weightDecay } = spec;
    return [
      learningRate * scale / (1 - beta1 ** t),
      1 / Math.sqrt(1 - beta2 ** t),
      beta1,
      1 - beta1,
      beta2,
      1 - beta2,
      epsilon,
      weightDecay,
    ];
  },
  update(spec, state, hyper) {
    const grad = withDecay(spec, state, () => hyper(7));
    const m = tf.add(tf.mul(state.slots.m, hyper(2)), tf.mul(grad, hyper(3)));
    const v = tf.add(tf.mul(state.slots.v, hyper(4)), tf.mul(tf.square(grad), hyper(5)));
    const scale = tf.add(tf.mul(tf.sqrt(v), hyper(1)), hyper(6));
    return {
      param: tf.sub(state.param, tf.mul(tf.div(m, scale), hyper(0))),
      slots: { m, v },
    };
  },
};

/**
 * `s = alpha s + (1 - alpha) g^2`; `d = g / (sqrt(s) + epsilon)`; `p -= lr d`, or with momentum
 * `b = momentum b + d` and `p -= lr b` (Hinton 2012; torch.optim.RMSprop, not centered).
 */
const rmsprop: Optimizer<RmsPropSpec> = {
  slots: ({ momentum }) => (momentum ? ["square", "momentum"] : ["square"]),
  hyperCount: 6,
  hyper(spec, _t, scale) {
    const { learningRate, alpha = RMSPROP.alpha, epsilon = RMSPROP.epsilon } = spec;
    const { momentum = RMSPROP.momentum, weightDecay = RMSPROP.weightDecay } = spec;
    return [learningRate * scale, alpha, 1 - alpha, epsilon, momentum, weightDecay];
  },
  update(spec, state, hyper) {
    const grad = withDecay(spec, state, () => hyper(5));
    const square = tf.add(
      tf.mul(state.slots.square, hyper(1)),
      tf.mul(tf.square(grad), hyper(2)),
    );
    const slots: TensorMap = { square };
    let direction = tf.div(grad, tf.add(tf.sqrt(square), hyper(3)));
    if (spec.momentum) {
      direction = tf.add(tf.mul(state.slots.momentum, hyper(4)), direction);
      slots.momentum = direction;
    }
    return { param: tf.sub(state.param, tf.mul(direction, hyper(0))), slots };
  },
};

const OPTIMIZERS = { sgd, adam, rmsprop };

/** The optimizer of a spec, which is called with specs of its own type only. */
function optimizerOf(spec: OptimizerSpec): Optimizer<OptimizerSpec> {
  return OPTIMIZERS[spec.type] as Optimizer<OptimizerSpec>;
}

/** The optimizer's state before the first update: zeros, named `<parameter>/<slot>`. */
export function initialSlots(spec: OptimizerSpec, params: HostTensors): HostTensors {
  const slots = optimizerOf(spec).slots(spec);
  const zeros: HostTensors = {};
  for (const [name, { shape, data }] of Object.entries(params)) {
    for (const slot of slots) {
      zeros[`${name}/${slot}`] = {
        shape: [...shape],
        dtype: "float32",
        data: new Float32Array(data.length),
      };
    }
  }
  return zeros;
}

/**
 * The optimizer of a network whose penalties count in every k-th update only: with `c = k / (k + 1)`, the
 * learning rate times c, and Adam's betas (RMSProp's alpha) to the power of c, so that the moments span
 * as many real updates (Karras et al. 2020, StyleGAN2, appendix B).
 */
export function lazyOptimizer(spec: OptimizerSpec, every: number | undefined): OptimizerSpec {
  if (every === undefined) return spec;
  const c = every / (every + 1);
  const learningRate = spec.learningRate * c;
  switch (spec.type) {
    case "sgd":
      return { ...spec, learningRate };
    case "adam": {
      const { beta1 = ADAM.beta1, beta2 = ADAM.beta2 } = spec;
      return { ...spec, learningRate, beta1: beta1 ** c, beta2: beta2 ** c };
    }
    case "rmsprop":
      return { ...spec, learningRate, alpha: (spec.alpha ?? RMSPROP.alpha) ** c };
  }
}

/** The length of {@linkcode hyperparameters}, the same at every step. */
export function hyperparameterCount(spec: OptimizerSpec): number {
  return optimizerOf(spec).hyperCount;
}

/**
 * The values that {@linkcode applyUpdate} needs, computed in double precision and then rounded.
 * @param updateNumber counted from 1
 * @param learningRateScale a schedule's factor
 */
export function hyperparameters(
  spec: OptimizerSpec,
  updateNumber: number,
  learningRateScale: number,
): Float32Array {
  return Float32Array.from(optimizerOf(spec).hyper(spec, updateNumber, learningRateScale));
}

/**
 * One update of every parameter. Pure: new tensors for parameters and slots.
 * @param params the parameters to change
 */
export function applyUpdate(
  spec: OptimizerSpec,
  params: TensorMap,
  { grads, slots, hyper }: UpdateGiven,
): OptimizedParams {
  const optimizer = optimizerOf(spec);
  const entries = tf.split(hyper, optimizer.hyperCount).map((entry) => tf.reshape(entry, []));
  const result: OptimizedParams = { params: {}, slots: {} };
  for (const [name, param] of Object.entries(params)) {
    const own = Object.fromEntries(
      optimizer.slots(spec).map((slot) => [slot, slots[`${name}/${slot}`]]),
    );
    const next = optimizer.update(
      spec,
      { param, grad: grads[name], slots: own },
      (index) => entries[index],
    );
    result.params[name] = next.param;
    for (const [slot, value] of Object.entries(next.slots)) {
      result.slots[`${name}/${slot}`] = value;
    }
  }
  return result;
}
