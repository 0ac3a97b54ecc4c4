/**
 * Convolutions: `conv`, `depthwise-conv`, `conv-transpose`. Images are `[n, height, width, channels]`,
 * kernels `[kernelHeight, kernelWidth, inputs, outputs]`, and padding is always written out.
 */
import { DEFAULTS } from "../../config/defaults.ts";
import type { PaddingSpec } from "../../config/network.ts";
import { groupedConv2d } from "../../tensor/grouped_conv.ts";
import { tf } from "../../tensor/tf.ts";
import { weightInit } from "../initializers.ts";
import { addBias, declareBias, mapOffset } from "../offsets.ts";
import { spectralNormOf } from "../spectral_norm.ts";
import type { BuiltLayer, LayerScope, SpecOf } from "../types.ts";

type Pair = [number, number];
type ExplicitPadding = [Pair, Pair, Pair, Pair];

/** The input as `[height, width, channels]`. Fails unless it is an image. */
export function imageShape(scope: LayerScope): [number, number, number] {
  if (scope.inputShape.length !== 3) {
    scope.fail("it needs an image [height, width, channels]: put a reshape before it");
  }
  return scope.inputShape as [number, number, number];
}

/** `[top, left, bottom, right]` in pixels. */
export function paddingSides(
  padding: PaddingSpec = DEFAULTS.layer.padding,
): [number, number, number, number] {
  return typeof padding === "number" ? [padding, padding, padding, padding] : padding;
}

function explicitPadding(padding: PaddingSpec | undefined): ExplicitPadding {
  const [top, left, bottom, right] = paddingSides(padding);
  return [[0, 0], [top, bottom], [left, right], [0, 0]];
}

/** Height and width after a convolution; fails where the kernel does not fit in. */
function convolvedSize(
  scope: LayerScope,
  kernel: Pair,
  options: { stride: number; padding: PaddingSpec | undefined; dilation: number },
): Pair {
  const [height, width] = scope.inputShape;
  const [top, left, bottom, right] = paddingSides(options.padding);
  const padded = [height + top + bottom, width + left + right];
  const reach = kernel.map((size) => (size - 1) * options.dilation + 1);
  if (reach[0] > padded[0] || reach[1] > padded[1]) {
    scope.fail(
      `its kernel covers ${reach[0]}x${reach[1]} pixels, more than the padded input of ` +
        `${padded[0]}x${padded[1]}`,
    );
  }
  return padded.map((size, i) => Math.floor((size - reach[i]) / options.stride) + 1) as Pair;
}

/**
 * Spreads a kernel's taps `dilation` pixels apart by zeros between them, because TensorFlow.js has no
 * gradient for dilated convolutions. `[kh, kw, ci, co] -> [(kh-1) d + 1, (kw-1) d + 1, ci, co]`
 */
function dilateKernel(kernel: tf.Tensor4D, dilation: number): tf.Tensor4D {
  const [kh, kw, inputs, outputs] = kernel.shape;
  const gap = dilation - 1;
  const height = (kh - 1) * dilation + 1;
  const width = (kw - 1) * dilation + 1;
  const rows = tf.pad(tf.reshape(kernel, [kh, 1, kw * inputs * outputs]), [[0, 0], [0, gap], [
    0,
    0,
  ]]);
  const tall = tf.slice(tf.reshape(rows, [kh * dilation, kw * inputs * outputs]), [0, 0], [
    height,
    kw * inputs * outputs,
  ]);
  const columns = tf.pad(tf.reshape(tall, [height * kw, 1, inputs * outputs]), [[0, 0], [0, gap], [
    0,
    0,
  ]]);
  const wide = tf.slice(
    tf.reshape(columns, [height, kw * dilation, inputs * outputs]),
    [0, 0, 0],
    [height, width, inputs * outputs],
  );
  return tf.reshape(wide, [height, width, inputs, outputs]);
}

/** A convolution; the kernel of a grouped one has `channels / groups` inputs, as PyTorch's. */
export function buildConv(spec: SpecOf<"conv">, scope: LayerScope): BuiltLayer {
  const channels = imageShape(scope)[2];
  const {
    filters,
    stride = DEFAULTS.layer.stride,
    dilation = DEFAULTS.layer.dilation,
    groups = DEFAULTS.layer.groups,
    padding,
    bias: hasBias = DEFAULTS.layer.bias,
  } = spec;
  const [kh, kw]: Pair = typeof spec.kernel === "number" ? [spec.kernel, spec.kernel] : spec.kernel;
  if (channels % groups !== 0 || filters % groups !== 0) {
    scope.fail(
      `its ${groups} groups must divide both the ${channels} channels that come in and its ` +
        `${filters} filters`,
    );
  }
  const [height, width] = convolvedSize(scope, [kh, kw], { stride, padding, dilation });
  const shape = [kh, kw, channels / groups, filters];
  const init = weightInit(spec.init ?? scope.defaultInit, {
    fanIn: kh * kw * channels / groups,
    fanOut: kh * kw * filters / groups,
  });
  const kernel = scope.parameter("kernel", shape, init.kernel);
  const bias = hasBias ? declareBias(scope, filters, init.bias) : undefined;
  const normalize = spec.spectralNorm ? spectralNormOf(scope, shape, 3) : undefined;
  const pad = explicitPadding(padding);
  const convolve = (x: tf.Tensor4D, weight: tf.Tensor4D): tf.Tensor4D =>
    groups === 1
      ? tf.conv2d(x, weight, stride, pad)
      : groupedConv2d(x, weight, { groups, strides: stride, pad });
  // Without a border, what all positions have in common they have in common afterwards.
  const passed = groups === 1 && paddingSides(padding).every((side) => side === 0)
    ? scope.biases
    : [];
  return {
    outputShape: [height, width, filters],
    biases: bias ? [...passed, bias] : passed,
    flops: 2 * height * width * kh * kw * (channels / groups) * filters,
    forward(x, call) {
      const stored = call.parameters[kernel];
      const sized = (normalize ? normalize(stored, call) : stored) as tf.Tensor4D;
      const weight = dilation === 1 ? sized : dilateKernel(sized, dilation);
      const output = convolve(x as tf.Tensor4D, weight);
      mapOffset(call, () => tf.sum(sized, [0, 1]));
      return addBias(output, bias, call);
    },
  };
}

/** A convolution of each channel by itself; output channel `c * multiplier + m` comes from channel `c`. */
export function buildDepthwiseConv(spec: SpecOf<"depthwise-conv">, scope: LayerScope): BuiltLayer {
  const channels = imageShape(scope)[2];
  const {
    multiplier = DEFAULTS.layer.multiplier,
    stride = DEFAULTS.layer.stride,
    padding,
    bias: hasBias = DEFAULTS.layer.bias,
  } = spec;
  const [kh, kw]: Pair = typeof spec.kernel === "number" ? [spec.kernel, spec.kernel] : spec.kernel;
  const [height, width] = convolvedSize(scope, [kh, kw], { stride, padding, dilation: 1 });
  const filters = channels * multiplier;
  const shape = [kh, kw, channels, multiplier];
  const init = weightInit(spec.init ?? scope.defaultInit, {
    fanIn: kh * kw,
    fanOut: kh * kw * multiplier,
  });
  const kernel = scope.parameter("kernel", shape, init.kernel);
  const bias = hasBias ? declareBias(scope, filters, init.bias) : undefined;
  const flat = [kh, kw, 1, filters];
  const normalize = spec.spectralNorm ? spectralNormOf(scope, flat, 3) : undefined;
  const pad = explicitPadding(padding);
  return {
    outputShape: [height, width, filters],
    biases: bias && [bias],
    flops: 2 * height * width * kh * kw * filters,
    forward(x, call) {
      const stored = call.parameters[kernel];
      const weight = normalize
        ? tf.reshape(normalize(tf.reshape(stored, flat), call), shape)
        : stored;
      const output = tf.depthwiseConv2d(x as tf.Tensor4D, weight as tf.Tensor4D, stride, pad);
      return addBias(output, bias, call);
    },
  };
}

/**
 * The adjoint of a convolution, PyTorch's ConvTranspose2d. The kernel is `[kh, kw, filters, channels]`,
 * and its fan-in counts `filters`, as PyTorch's and Keras' do.
 */
export function buildConvTranspose(spec: SpecOf<"conv-transpose">, scope: LayerScope): BuiltLayer {
  const [height, width, channels] = imageShape(scope);
  const {
    filters,
    kernel: size,
    stride = DEFAULTS.layer.stride,
    padding = DEFAULTS.layer.padding,
    outputPadding = DEFAULTS.layer.outputPadding,
  } = spec;
  if (outputPadding >= stride) {
    scope.fail(`its output padding ${outputPadding} must be less than its stride ${stride}`);
  }
  const grown = (side: number): number => (side - 1) * stride - 2 * padding + size + outputPadding;
  const outputShape: [number, number, number] = [grown(height), grown(width), filters];
  if (outputShape[0] < 1 || outputShape[1] < 1) {
    scope.fail(
      `its padding ${padding} leaves an image of ${outputShape[0]}x${outputShape[1]} pixels`,
    );
  }
  const shape = [size, size, filters, channels];
  const init = weightInit(spec.init ?? scope.defaultInit, {
    fanIn: size * size * filters,
    fanOut: size * size * channels,
  });
  const kernel = scope.parameter("kernel", shape, init.kernel);
  const bias = (spec.bias ?? DEFAULTS.layer.bias)
    ? declareBias(scope, filters, init.bias)
    : undefined;
  const normalize = spec.spectralNorm ? spectralNormOf(scope, shape, 2) : undefined;
  const pad = explicitPadding(padding);
  return {
    outputShape,
    biases: bias && [bias],
    flops: 2 * height * width * size * size * channels * filters,
    forward(x, call) {
      const stored = call.parameters[kernel];
      const weight = (normalize ? normalize(stored, call) : stored) as tf.Tensor4D;
      const output = tf.conv2dTranspose(
        x as tf.Tensor4D,
        weight,
        [x.shape[0], grown(x.shape[1]!), grown(x.shape[2]!), filters],
        stride,
        pad,
      );
      return addBias(output, bias, call);
    },
  };
}
