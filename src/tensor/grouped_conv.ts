/**
 * Convolutions of groups of channels, which TensorFlow.js lacks. Where a backend has kernels for them
 * (`groupsConvolutions`), a layer is one kernel; elsewhere it is a split, a convolution for each group,
 * and a concatenation, which the ONNX exporter recognizes.
 */
import type * as tfTypes from "@tensorflow/tfjs";
import { setGradient } from "./fixes/set_gradient.ts";
import { tf } from "./tf.ts";

/** A backend that has {@linkcode GROUPED_KERNELS}. */
export interface GroupingBackend {
  /** Whether they are worth using now. */
  readonly groupsConvolutions: boolean;
}

/** Names of the kernels: the convolution, and its gradients for the input and for the filter. */
export const GROUPED_KERNELS = {
  forward: "GroupedConv2D",
  inputGradient: "GroupedConv2DBackpropInput",
  filterGradient: "GroupedConv2DBackpropFilter",
} as const;

/** Attributes of the kernels. */
export interface GroupedConvOptions {
  /** Groups of channels, of the input and of the filters. */
  groups: number;
  /** Pixels from one output pixel to the next. */
  strides: number;
  /** Zeros around the input. */
  pad: tfTypes.backend_util.ExplicitPadding;
}

/**
 * Convolves each group of input channels with its own filters.
 * @param x `[n, height, width, channels]`
 * @param filter `[kernelHeight, kernelWidth, channels / groups, filters]`, group after group
 * @returns `[n, height, width, filters]`
 */
export function groupedConv2d(
  x: tf.Tensor4D,
  filter: tf.Tensor4D,
  options: GroupedConvOptions,
): tf.Tensor4D {
  const { groups, strides, pad } = options;
  if ((tf.backend() as Partial<GroupingBackend>).groupsConvolutions) {
    return run("forward", { x, filter }, { ...options }) as tf.Tensor4D;
  }
  const inputs: tf.Tensor4D[] = tf.split(x, groups, 3);
  const filters: tf.Tensor4D[] = tf.split(filter, groups, 3);
  return tf.concat(
    inputs.map((input, group) => tf.conv2d(input, filters[group], strides, pad)),
    3,
  );
}

function run(
  kernel: keyof typeof GROUPED_KERNELS,
  inputs: tf.NamedTensorMap,
  attributes: Record<string, unknown>,
): tf.Tensor {
  const { groups, strides, pad, inputShape, filterShape } = attributes;
  const given = { groups, strides, pad, inputShape, filterShape } as unknown as tf.NamedAttrMap;
  return tf.engine().runKernel(GROUPED_KERNELS[kernel], inputs, given) as tf.Tensor;
}

// A convolution is linear in its input and in its filter, so each gradient is one of the other kernels.
setGradient(GROUPED_KERNELS.forward, ["x", "filter"], {
  x: (dy, [x, filter], attributes) =>
    run("inputGradient", { dy, filter }, { ...attributes, inputShape: x.shape }),
  filter: (dy, [x, filter], attributes) =>
    run("filterGradient", { x, dy }, { ...attributes, filterShape: filter.shape }),
});
setGradient(GROUPED_KERNELS.inputGradient, ["dy", "filter"], {
  dy: (ddx, [, filter], attributes) => run("forward", { x: ddx, filter }, attributes),
  filter: (ddx, [dy, filter], attributes) =>
    run("filterGradient", { x: ddx, dy }, { ...attributes, filterShape: filter.shape }),
});
setGradient(GROUPED_KERNELS.filterGradient, ["x", "dy"], {
  x: (ddw, [x, dy], attributes) =>
    run("inputGradient", { dy, filter: ddw }, { ...attributes, inputShape: x.shape }),
  dy: (ddw, [x], attributes) => run("forward", { x, filter: ddw }, attributes),
});
