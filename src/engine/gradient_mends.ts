/**
 * Gradients that TensorFlow.js 4.22 has wrong or lacks, mostly second derivatives, which a gradient
 * penalty needs. Three faults are mended, for every backend at once:
 *
 * - Gradients that use the op's saved *output* (tanh, sigmoid, exp, elu, softmax): the output is saved
 *   by a copy whose tape entry comes before the op's own, so a second derivative silently loses that
 *   path. Here the input is saved and the output computed again.
 * - Gradients that use comparisons or kernels without a gradient of their own (leaky relu, maximum,
 *   max, average pool, resize, depthwise convolution) throw when they are differentiated. A mask is
 *   constant wherever it can be differentiated, so masks are computed off the tape here.
 * - The gradients of sum and mean multiply by a tensor of ones made on the host, an upload each time;
 *   here they repeat the gradient on the device.
 *
 * `tests/engine/gradient_mends_test.ts` checks each against finite differences.
 */
import * as tf from "@tensorflow/tfjs"; // not through tf.ts, which calls this file
import { withoutTape } from "./tape.ts";

type Attributes = Record<string, unknown>;
type Gradient = (dy: tf.Tensor, saved: tf.Tensor[], attributes: Attributes) => tf.Tensor;

/** Replaces a kernel's gradient by functions of the gradient of its only output. */
function setGradient(
  kernelName: string,
  inputsToSave: string[],
  gradients: Record<string, Gradient>,
): void {
  if (tf.getGradient(kernelName)) tf.unregisterGradient(kernelName);
  tf.registerGradient({
    kernelName,
    inputsToSave,
    gradFunc: (dy, saved, attributes) =>
      Object.fromEntries(
        Object.entries(gradients).map(([input, gradient]) => [
          input,
          () => gradient(dy as tf.Tensor, saved, attributes),
        ]),
      ),
  });
}

function setUnaryGradient(
  kernelName: string,
  derivative: (x: tf.Tensor, attributes: Attributes) => tf.Tensor,
): void {
  setGradient(kernelName, ["x"], {
    x: (dy, [x], attributes) => tf.mul(dy, derivative(x, attributes)),
  });
}

/** 1 where `condition` holds, else 0: constant for the tape. */
function mask(condition: () => tf.Tensor): tf.Tensor {
  return withoutTape(() => tf.cast(condition(), "float32"));
}

/** 1 where x > 0, else `below`: constant for the tape. */
function step(x: tf.Tensor, below = 0): tf.Tensor {
  return withoutTape(() => tf.step(x, below));
}

/** min(x, 0), whose derivative at 0 is 1. */
function negativePart(x: tf.Tensor): tf.Tensor {
  return tf.sub(x, tf.relu(x));
}

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

/** The derivative of ELU: 1 above 0, exp(x) below. */
function eluDerivative(x: tf.Tensor): tf.Tensor {
  return tf.exp(negativePart(x));
}

function mendActivations(): void {
  setUnaryGradient("Relu", (x) => step(x));
  setUnaryGradient("Relu6", (x) => mask(() => tf.mul(tf.step(x), tf.step(tf.sub(6, x)))));
  setUnaryGradient("LeakyRelu", (x, { alpha }) => step(x, alpha as number));
  setUnaryGradient("Abs", (x) => mask(() => tf.sign(x)));
  setUnaryGradient("Exp", (x) => tf.exp(x));
  setUnaryGradient("Tanh", (x) => tf.sub(1, tf.square(tf.tanh(x))));
  setUnaryGradient("Sigmoid", (x) => {
    const y = tf.sigmoid(x);
    return tf.mul(y, tf.sub(1, y));
  });
  setUnaryGradient("Elu", eluDerivative);
  setUnaryGradient("Selu", (x) => {
    const above = step(x);
    const below = tf.mul(tf.sub(1, above), eluDerivative(x));
    return tf.mul(SELU_SCALE, tf.add(above, tf.mul(SELU_ALPHA, below)));
  });
  setGradient("Softmax", ["logits"], {
    logits: (dy, [logits], { dim }) => {
      const y = tf.softmax(logits, dim as number);
      const weighted = tf.mul(dy, y);
      return tf.sub(weighted, tf.mul(tf.sum(weighted, [dim as number], true), y));
    },
  });
  setGradient("LogSoftmax", ["logits"], {
    logits: (dy, [logits], { axis }) =>
      tf.sub(dy, tf.mul(tf.sum(dy, axis as number, true), tf.softmax(logits, axis as number))),
  });
}

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

function mendReductions(): void {
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

/** Sums a gradient over the axes along which `input` was broadcast. */
function sumToShape(gradient: tf.Tensor, input: tf.Tensor): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(input.shape, gradient.shape);
  const sum = axes.length > 0 ? tf.sum(gradient, axes) : gradient;
  return tf.reshape(sum, input.shape);
}

function mendComparisons(): void {
  // Equal numbers: the gradient goes to `a`, as PyTorch's max-pool sends it to the first.
  setGradient("Maximum", ["a", "b"], {
    a: (dy, [a, b]) => sumToShape(tf.mul(dy, mask(() => tf.greaterEqual(a, b))), a),
    b: (dy, [a, b]) => sumToShape(tf.mul(dy, mask(() => tf.less(a, b))), b),
  });
  setGradient("Minimum", ["a", "b"], {
    a: (dy, [a, b]) => sumToShape(tf.mul(dy, mask(() => tf.lessEqual(a, b))), a),
    b: (dy, [a, b]) => sumToShape(tf.mul(dy, mask(() => tf.greater(a, b))), b),
  });
  setGradient("SquaredDifference", ["a", "b"], {
    a: (dy, [a, b]) => sumToShape(tf.mul(dy, tf.mul(2, tf.sub(a, b))), a),
    b: (dy, [a, b]) => sumToShape(tf.mul(dy, tf.mul(2, tf.sub(b, a))), b),
  });
  setGradient("Select", ["condition"], {
    condition: (dy, [condition]) => withoutTape(() => tf.fill(condition.shape, 0, dy.dtype)),
    t: (dy, [condition]) => tf.mul(dy, mask(() => condition)),
    e: (dy, [condition]) => tf.mul(dy, mask(() => tf.logicalNot(condition))),
  });
}

type PoolSize = [number, number] | number;
type Padding = "valid" | "same" | number;

/** The sum of each `factorY` x `factorX` block. @returns `[n, h, w, c]` */
function blockSums(dy: tf.Tensor4D, [n, h, w, c]: number[]): tf.Tensor {
  const factorY = dy.shape[1] / h;
  const factorX = dy.shape[2] / w;
  const rows = tf.sum(tf.reshape(dy, [n * h, factorY, w * factorX * c]), 1);
  return tf.reshape(tf.sum(tf.reshape(rows, [n * h * w, factorX, c]), 1), [n, h, w, c]);
}

function mendImages(): void {
  // The stock gradient is wrong for a batch on the cpu backend, and has no derivative.
  setGradient("ResizeNearestNeighbor", ["images"], {
    images: (dy, [images], { alignCorners, halfPixelCenters }) => {
      const [, h, w] = images.shape;
      const whole = dy.shape[1]! % h === 0 && dy.shape[2]! % w === 0;
      if (!whole || alignCorners || halfPixelCenters) {
        throw new RangeError(
          `Cannot differentiate a nearest-neighbour resize from ${h}x${w} to ` +
            `${dy.shape[1]}x${dy.shape[2]}: only whole factors with plain corners are supported`,
        );
      }
      return blockSums(dy as tf.Tensor4D, images.shape);
    },
  });
  setGradient("AvgPoolGrad", ["dy"], {
    dy: (ddx, _saved, { filterSize, strides, pad }) =>
      tf.avgPool(
        ddx as tf.Tensor4D,
        filterSize as PoolSize,
        strides as PoolSize,
        pad as Padding,
      ),
    input: (ddx) => withoutTape(() => tf.fill(ddx.shape, 0)), // only its shape matters
  });
}

function mendConvolutions(): void {
  const run = (name: string, inputs: tf.NamedTensorMap, attributes: Attributes): tf.Tensor =>
    tf.engine().runKernel(name, inputs, attributes as tf.NamedAttrMap) as tf.Tensor;
  setGradient("Conv2DBackpropFilter", ["x", "dy"], {
    x: (ddw, [x, dy], { strides, pad, dataFormat, dimRoundingMode }) =>
      run("Conv2DBackpropInput", { dy, filter: ddw }, {
        strides,
        pad,
        dataFormat,
        dimRoundingMode,
        inputShape: x.shape,
      }),
    dy: (ddw, [x], { strides, pad, dataFormat, dimRoundingMode }) =>
      run("Conv2D", { x, filter: ddw }, {
        strides,
        pad,
        dataFormat,
        dimRoundingMode,
        dilations: [1, 1],
      }),
  });
  const depthwise = ({ strides, dilations, pad, dimRoundingMode }: Attributes): Attributes => ({
    strides,
    dilations: dilations ?? [1, 1],
    pad,
    dimRoundingMode,
    dataFormat: "NHWC",
  });
  setGradient("DepthwiseConv2dNativeBackpropInput", ["dy", "filter"], {
    dy: (ddx, [, filter], attributes) =>
      run("DepthwiseConv2dNative", { x: ddx, filter }, depthwise(attributes)),
    filter: (ddx, [dy, filter], attributes) =>
      run("DepthwiseConv2dNativeBackpropFilter", { x: ddx, dy }, {
        ...depthwise(attributes),
        filterShape: filter.shape,
      }),
  });
  setGradient("DepthwiseConv2dNativeBackpropFilter", ["x", "dy"], {
    x: (ddw, [x, dy], attributes) =>
      run("DepthwiseConv2dNativeBackpropInput", { dy, filter: ddw }, {
        ...depthwise(attributes),
        inputShape: x.shape,
      }),
    dy: (ddw, [x], attributes) =>
      run("DepthwiseConv2dNative", { x, filter: ddw }, depthwise(attributes)),
  });
}

/** Puts all mended gradients in place. Idempotent; called where TensorFlow.js is set up. */
export function installGradientMends(): void {
  mendActivations();
  mendReductions();
  mendComparisons();
  mendImages();
  mendConvolutions();
}
