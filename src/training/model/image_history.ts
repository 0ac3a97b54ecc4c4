/**
 * A buffer of generated images that a discriminator is shown again (Shrivastava et al. 2017, section
 * 2.3; 50 images in Zhu et al. 2017): until it is full each image is stored and shown; then, half of the
 * time, an older one is shown and the new one takes its place. The buffer is part of a run's state.
 */
import type { HostTensors, StepRandom, TensorMap } from "../../tensor/types.ts";
import { tf } from "../../tensor/tf.ts";

/** Names within the history's part of the state. */
const IMAGES = "images";
const COUNT = "count";

/** An empty buffer. @param shape one sample's */
export function emptyHistory(size: number, shape: readonly number[]): HostTensors {
  const length = shape.reduce((product, side) => product * side, size);
  return {
    [IMAGES]: { shape: [size, ...shape], dtype: "float32", data: new Float32Array(length) },
    [COUNT]: { shape: [], dtype: "float32", data: new Float32Array(1) },
  };
}

/**
 * Shows samples through the buffer, one after the other. Draws two uniform numbers a sample.
 * @param samples `[n, ...shape]`, without gradients
 * @param slots `[size]` 0, 1, 2, ...
 * @returns what is shown, `[n, ...shape]`, and the buffer afterwards
 */
export function showThroughHistory(
  samples: tf.Tensor,
  history: TensorMap,
  { slots, random }: { slots: tf.Tensor; random: StepRandom },
): { shown: tf.Tensor; history: TensorMap } {
  const [count] = samples.shape;
  const size = slots.shape[0];
  const draws = random.uniform([count, 2]);
  let images = history[IMAGES];
  let filled = history[COUNT];
  const shown: tf.Tensor[] = [];
  for (let i = 0; i < count; i++) {
    const sample = tf.slice(samples, i, 1);
    const [coin, place] = [0, 1].map((at) => tf.reshape(tf.slice(draws, [i, at], [1, 1]), []));
    const isFull = toNumber(tf.greaterEqual(filled, size));
    const isOld = tf.mul(isFull, toNumber(tf.greater(coin, 0.5)));
    const slot = tf.add(
      tf.mul(isFull, tf.floor(tf.mul(place, size))),
      tf.mul(tf.sub(1, isFull), filled),
    );
    const isWritten = tf.add(isOld, tf.sub(1, isFull));
    const here = tf.reshape(toNumber(tf.equal(slots, slot)), [
      size,
      ...samples.shape.slice(1).map(() => 1),
    ]);
    const old = tf.sum(tf.mul(images, here), 0, true);
    shown.push(tf.add(tf.mul(old, isOld), tf.mul(sample, tf.sub(1, isOld))));
    const written = tf.mul(here, isWritten);
    images = tf.add(tf.mul(images, tf.sub(1, written)), tf.mul(sample, written));
    filled = tf.add(filled, tf.sub(1, isFull));
  }
  return {
    shown: shown.length === 1 ? shown[0] : tf.concat(shown, 0),
    history: { [IMAGES]: images, [COUNT]: filled },
  };
}

/** 1 for true, 0 for false. */
function toNumber(condition: tf.Tensor): tf.Tensor {
  return tf.cast(condition, "float32");
}
