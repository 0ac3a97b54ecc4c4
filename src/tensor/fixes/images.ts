/** Fixed gradients of pooling, resizing and convolutions. */
import * as tf from "@tensorflow/tfjs"; // not through tf.ts, which calls this file
import { type Attributes, setGradient, zerosFor } from "./set_gradient.ts";

type PoolSize = [number, number] | number;
type Padding = "valid" | "same" | number;

/** The sum of each `factorY` x `factorX` block. @returns `[n, h, w, c]` */
function blockSums(dy: tf.Tensor4D, [n, h, w, c]: number[]): tf.Tensor {
  const factorY = dy.shape[1] / h;
  const factorX = dy.shape[2] / w;
  const rows = tf.sum(tf.reshape(dy, [n * h, factorY, w * factorX * c]), 1);
  return tf.reshape(tf.sum(tf.reshape(rows, [n * h * w, factorX, c]), 1), [n, h, w, c]);
}

/** Nearest-neighbor resize, average pool. */
export function fixImages(): void {
  // The stock gradient is wrong for a batch on the cpu backend, and has no derivative.
  setGradient("ResizeNearestNeighbor", ["images"], {
    images: (dy, [images], { alignCorners, halfPixelCenters }) => {
      const [, h, w] = images.shape;
      const whole = dy.shape[1]! % h === 0 && dy.shape[2]! % w === 0;
      if (!whole || alignCorners || halfPixelCenters) {
        throw new RangeError(
          `Cannot differentiate a nearest-neighbor resize from ${h}x${w} to ` +
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
    input: (ddx) => zerosFor(ddx), // only its shape matters
  });
}

/** Gradients of the convolutions' own gradient kernels. */
export function fixConvolutions(): void {
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
