/** Fixed gradients of sums, means, extremes, and of repetition, which is the gradient of a sum. */
import * as tf from "@tensorflow/tfjs"; // not through tf.ts, which calls this file
import { mask, setGradient } from "./set_gradient.ts";

/** The axes that a reduction runs over, none negative. */
function reducedAxes(x: tf.Tensor, axis: unknown): number[] {
  const axes = axis === null || axis === undefined ? x.shape.map((_, i) => i) : [axis].flat();
  return (axes as number[]).map((a) => (a < 0 ? a + x.rank : a));
}

/** Repeats a reduced gradient over the axes that were reduced. */
function repeatOver(x: tf.Tensor, dy: tf.Tensor, axes: number[]): tf.Tensor {
  const kept = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
  if (tf.util.arraysEqual(kept, x.shape)) return tf.reshape(dy, x.shape);
  const repeats = x.shape.map((size, i) => (axes.includes(i) ? size : 1));
  return tf.tile(tf.reshape(dy, kept), repeats);
}

/** Sums `dy` over the copies that a tile made. */
function sumOverCopies(dy: tf.Tensor, shape: number[], repeats: number[]): tf.Tensor {
  const split: number[] = [];
  const axes: number[] = [];
  shape.forEach((size, i) => {
    if (repeats[i] > 1) {
      axes.push(split.length);
      split.push(repeats[i]);
    }
    if (repeats[i] === 1 || size > 1) split.push(size);
  });
  const sum = axes.length > 0 ? tf.sum(tf.reshape(dy, split), axes) : dy;
  return tf.reshape(sum, shape);
}

/** Sum, mean, tile, max, min. */
export function fixReductions(): void {
  setGradient("Sum", ["x"], {
    x: (dy, [x], { axis }) => repeatOver(x, dy, reducedAxes(x, axis)),
  });
  setGradient("Mean", ["x"], {
    x: (dy, [x], { axis }) => {
      const axes = reducedAxes(x, axis);
      const count = axes.reduce((product, i) => product * x.shape[i], 1);
      return repeatOver(x, tf.div(dy, count), axes);
    },
  });
  setGradient("Tile", ["x"], {
    x: (dy, [x], { reps }) => sumOverCopies(dy, x.shape, reps as number[]),
  });
  for (const [kernelName, extreme] of [["Max", tf.max], ["Min", tf.min]] as const) {
    setGradient(kernelName, ["x"], {
      x: (dy, [x], attributes) => {
        const axes = reducedAxes(x, attributes.reductionIndices ?? attributes.axis);
        const chosen = mask(() => tf.equal(x, extreme(x, axes, true)));
        const kept = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
        return tf.mul(tf.reshape(dy, kept), chosen);
      },
    });
  }
}
