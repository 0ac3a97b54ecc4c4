/**
 * Layers that are random while training: `dropout`, `gaussian-noise`, `gumbel-softmax`. Dropout can stay
 * random when the network is used, and a choice by Gumbel noise always does: each sample then brings its noise, so that it
 * depends on its seed and on nothing else of the batch.
 */
import { DEFAULTS } from "../../config/defaults.ts";
import { withoutTape } from "../../tensor/tape.ts";
import { elementCount } from "../../bytes.ts";
import type { StepRandom } from "../../tensor/types.ts";
import { tf } from "../../tensor/tf.ts";
import { NOISE_LEVELS } from "../../random/latents.ts";
import type { BuiltLayer, LayerCall, LayerScope, SpecOf } from "../types.ts";
import { vectorSize } from "./dense.ts";

function randomOf(call: LayerCall, scope: LayerScope): StepRandom {
  return call.random ?? scope.fail("it draws random numbers while training: give context.random");
}

/**
 * Zeroes each number with probability `rate` and divides the others by `1 - rate` (Srivastava et al.
 * 2014). A number stays where the uniform draw is `rate` or more. With `atSampling` the same happens
 * when the network is used, by the call's noise (Isola et al. 2017, section 3.2.1).
 */
export function buildDropout(
  { rate, atSampling = false }: SpecOf<"dropout">,
  scope: LayerScope,
): BuiltLayer {
  const size = elementCount(scope.inputShape);
  const first = atSampling && rate > 0 ? scope.noise(size) : undefined;
  // For noise in steps of 1/2048 the same as the rate, and exact in every precision.
  const threshold = Math.min(NOISE_LEVELS - 1, Math.ceil(rate * NOISE_LEVELS)) / NOISE_LEVELS;

  function noiseOf({ noise }: LayerCall, from: number): tf.Tensor {
    const own = noise!.shape[1] === size ? noise! : tf.slice(noise!, [0, from], [-1, size]);
    return tf.reshape(own, [-1, ...scope.inputShape]);
  }
  return {
    outputShape: scope.inputShape,
    biases: rate === 0 ? scope.biases : [],
    flops: 0,
    forward(x, call) {
      if (rate === 0 || (!call.training && first === undefined)) return x;
      const kept = call.training
        ? tf.greaterEqual(randomOf(call, scope).uniform(x.shape), rate)
        : tf.greaterEqual(noiseOf(call, first!), threshold);
      return tf.mul(x, tf.mul(tf.cast(kept, "float32"), 1 / (1 - rate)));
    },
  };
}

/** Adds N(0, sigma^2) to each number. */
export function buildGaussianNoise(
  { sigma }: SpecOf<"gaussian-noise">,
  scope: LayerScope,
): BuiltLayer {
  return {
    outputShape: scope.inputShape,
    biases: scope.biases,
    flops: 0,
    forward(x, call) {
      if (!call.training) return x;
      return tf.add(x, tf.mul(randomOf(call, scope).normal(x.shape), sigma));
    },
  };
}

/** Uniform noise below this is taken for it, so that its logarithm is finite. */
const MIN_UNIFORM = 2 ** -25;

/**
 * A random choice of each group of columns (Jang et al. 2017; as CTGAN, Xu et al. 2019): `softmax((x + g) /
 * temperature)` with `g = -ln(-ln(u))`, so that the largest entry is column k with probability
 * `softmax(x)_k`. The same holds when the network is used, by the call's noise: a softmax alone would
 * give the same mixture to every sample, and its largest entry never a rarer category. A multiple of
 * 1/2048 has no more than 12 bits, so a column more than about 9.7 below the largest is then never
 * chosen (probability 6e-5).
 */
export function buildGumbelSoftmax(
  spec: SpecOf<"gumbel-softmax">,
  scope: LayerScope,
): BuiltLayer {
  const columns = vectorSize(scope);
  const { groups, temperature = DEFAULTS.layer.temperature } = spec;
  const ordered = groups.toSorted(([a], [b]) => a - b);
  for (const [index, [first, size]] of ordered.entries()) {
    const next = ordered[index + 1]?.[0] ?? columns;
    if (first + size > next) {
      scope.fail(
        `its group of ${size} columns from ${first} ends after column ${next - 1}, where ` +
          `${index + 1 < ordered.length ? "the next group begins" : "the vector ends"}`,
      );
    }
  }
  const chosen = ordered.reduce((sum, [, size]) => sum + size, 0);
  const noiseStart = scope.noise(chosen);

  function uniformOf(x: tf.Tensor, call: LayerCall): tf.Tensor {
    if (call.training) {
      const uniform = randomOf(call, scope).uniform([x.shape[0], chosen]);
      return tf.maximum(uniform, MIN_UNIFORM);
    }
    const noise = tf.slice(call.noise!, [0, noiseStart], [-1, chosen]);
    return tf.maximum(noise, 0.5 / NOISE_LEVELS);
  }
  return {
    outputShape: [columns],
    flops: 8 * chosen,
    forward(x, call) {
      const gumbel = withoutTape(() => tf.neg(tf.log(tf.neg(tf.log(uniformOf(x, call)))))); // [n, chosen]
      const parts: tf.Tensor[] = [];
      let column = 0;
      let used = 0;
      for (const [first, size] of ordered) {
        if (first > column) parts.push(tf.slice(x, [0, column], [-1, first - column]));
        const logits = tf.add(
          tf.slice(x, [0, first], [-1, size]),
          tf.slice(gumbel, [0, used], [-1, size]),
        );
        parts.push(tf.softmax(tf.mul(logits, 1 / temperature), -1));
        column = first + size;
        used += size;
      }
      if (column < columns) parts.push(tf.slice(x, [0, column], [-1, columns - column]));
      return parts.length === 1 ? parts[0] : tf.concat(parts, 1);
    },
  };
}
