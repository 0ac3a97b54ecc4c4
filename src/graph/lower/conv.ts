/** Rules for convolutions: forward, and the gradient with respect to the input. */
import { numberAttribute, numbersAttribute } from "../trace/attributes.ts";
import type { KernelNode } from "../trace/kernel_graph.ts";
import { convolutionInfo } from "../trace/shape_rules_image.ts";
import { activate } from "./elementwise.ts";
import { NCHW, OIHW } from "./layout.ts";
import type { Lowered, Lowering, LoweringRule } from "./lowering.ts";

/** A convolution's geometry in the words of ONNX. */
export interface Geometry {
  /** height, width */
  kernel: [number, number];
  /** down, right */
  strides: [number, number];
  /** down, right */
  dilations: [number, number];
  /** top, left, bottom, right */
  pads: [number, number, number, number];
}

/** The geometry of a convolution kernel call. @param inputShape the shape of the forward input */
export function geometryOf(
  inputShape: readonly number[],
  filterShape: readonly number[],
  node: KernelNode,
  depthwise = false,
): Geometry {
  return windowGeometry(convolutionInfo(inputShape, filterShape, node.attributes, depthwise));
}

/** What `tf.backend_util` says of a window that moves over an image. */
type WindowInfo = Pick<
  ReturnType<typeof convolutionInfo>,
  | "padInfo"
  | "inHeight"
  | "inWidth"
  | "outHeight"
  | "outWidth"
  | "filterHeight"
  | "filterWidth"
  | "effectiveFilterHeight"
  | "effectiveFilterWidth"
  | "strideHeight"
  | "strideWidth"
  | "dilationHeight"
  | "dilationWidth"
>;

/** The geometry of a convolution's or a pooling's window. */
export function windowGeometry(info: WindowInfo): Geometry {
  const { top, left, bottom, right } = info.padInfo;
  // Where the number of windows is rounded up, the last one reaches past the padding that was asked for.
  const reach = (count: number, stride: number, extent: number) => (count - 1) * stride + extent;
  const down = reach(info.outHeight, info.strideHeight, info.effectiveFilterHeight);
  const across = reach(info.outWidth, info.strideWidth, info.effectiveFilterWidth);
  return {
    kernel: [info.filterHeight, info.filterWidth],
    strides: [info.strideHeight, info.strideWidth],
    dilations: [info.dilationHeight, info.dilationWidth],
    pads: [
      top,
      left,
      Math.max(bottom, down - info.inHeight - top),
      Math.max(right, across - info.inWidth - left),
    ],
  };
}

/**
 * The attribute that pads a window's input: explicit numbers; for "same" padding with a stride over axes
 * of any length ONNX' name for it, which src/graph/open replaces by values that are computed at run time.
 * @param sides the lengths of the axes over which the window moves
 */
export function paddingAttribute(
  lowering: Lowering,
  node: KernelNode,
  sides: readonly number[],
  { strides, pads }: { strides: readonly number[]; pads: readonly number[] },
): { pads: number[] } | { auto_pad: string } {
  const followsSize = node.attributes.pad === "same" && lowering.isOpen(sides) &&
    strides.some((stride) => stride > 1);
  return followsSize ? { auto_pad: SAME_PADDING } : { pads: [...pads] };
}

/** See {@linkcode paddingAttribute}. */
export const SAME_PADDING = "SAME_UPPER";

/** An image in memory as NCHW, expanded. */
export function asNCHW(lowering: Lowering, x: Lowered): Lowered {
  return lowering.arranged(lowering.expanded(x), NCHW);
}

/** The depthwise filter `[kh, kw, channels, multiplier]` as ONNX' `[channels * multiplier, 1, kh, kw]`. */
function depthwiseFilter(lowering: Lowering, filter: Lowered): string {
  const arranged = lowering.arranged(lowering.weight(filter), [2, 3, 0, 1]);
  const [kh, kw, channels, multiplier] = filter.shape;
  const dims = [channels * multiplier, 1, kh, kw];
  if (arranged.data === undefined) {
    const name = lowering.name(arranged, "weight");
    return lowering.builder.reshape(name, [channels, multiplier, kh, kw], dims);
  }
  const regrouped = { ...arranged, shape: [kh, kw, 1, channels * multiplier] };
  return lowering.name({ ...regrouped, stored: regrouped.shape, order: OIHW }, "weight");
}

function attributesOf(geometry: Geometry, group = 1) {
  const { kernel, strides, dilations, pads } = geometry;
  return {
    kernel_shape: kernel,
    strides,
    pads,
    ...(dilations.some((dilation) => dilation !== 1) ? { dilations } : {}),
    ...(group === 1 ? {} : { group }),
  };
}

/** The bias' name, where the kernel has one. */
function biasOf(lowering: Lowering, node: KernelNode): string[] {
  if (!node.inputs.bias) return [];
  const bias = lowering.weight(lowering.input(node, "bias"));
  return [lowering.name(lowering.reshaped(bias, [bias.shape.at(-1)!]), "bias")];
}

function forward(depthwise: boolean): LoweringRule {
  return (lowering, node) => {
    const x = lowering.input(node, "x");
    const filter = lowering.input(node, "filter");
    const geometry = geometryOf(x.shape, filter.shape, node, depthwise);
    const weight = depthwise
      ? depthwiseFilter(lowering, filter)
      : lowering.name(lowering.arranged(lowering.weight(filter), OIHW), "weight");
    const inputs = [lowering.name(asNCHW(lowering, x)), weight, ...biasOf(lowering, node)];
    const group = depthwise ? x.shape[3] : numberAttribute(node.attributes, "groups", 1);
    const { pads: _, ...attributes } = attributesOf(geometry, group);
    const name = lowering.builder.emit("Conv", inputs, {
      ...attributes,
      ...paddingAttribute(lowering, node, x.shape.slice(1, 3), geometry),
    });
    return activate(lowering, node, lowering.made(name, node.outputs[0].shape, NCHW));
  };
}

/**
 * What ONNX' ConvTranspose must add at the end so that a strided window's input size comes back.
 * @param inputSides the lengths of the axes that the window moves over
 * @param outputSides how many windows there are along each
 */
export function outputPadding(
  inputSides: readonly number[],
  outputSides: readonly number[],
  { kernel, strides, dilations, pads }: {
    kernel: readonly number[];
    strides: readonly number[];
    dilations?: readonly number[];
    pads: readonly number[];
  },
): number[] {
  return inputSides.map((side, axis) => {
    const extent = (kernel[axis] - 1) * (dilations?.[axis] ?? 1) + 1;
    const reached = (outputSides[axis] - 1) * strides[axis] + extent;
    return side - (reached - pads[axis] - pads[axis + inputSides.length]);
  });
}

/**
 * The gradient with respect to the input, which is also TensorFlow.js' transposed convolution; the
 * exporter's passes give that one a bias.
 */
function inputGradient(depthwise: boolean): LoweringRule {
  return (lowering, node) => {
    const { builder } = lowering;
    const shape = numbersAttribute(node.attributes, "inputShape");
    const filter = lowering.input(node, "filter");
    const dy = asNCHW(lowering, lowering.input(node, "dy"));
    const geometry = geometryOf(shape, filter.shape, node, depthwise);
    const { kernel, strides, pads } = geometry;
    const mirrored = [0, 1, 2, 3].map((side) => kernel[side % 2] - 1 - pads[side]);
    const canMirror = !depthwise && filter.data === undefined && !node.inputs.bias &&
      strides.every((stride) => stride === 1) && mirrored.every((pad) => pad >= 0);
    if (canMirror) {
      const weight = mirroredFilter(lowering, filter);
      const name = builder.emit("Conv", [lowering.name(dy), weight], {
        kernel_shape: kernel,
        strides,
        pads: mirrored,
      });
      return lowering.made(name, shape, NCHW);
    }
    const weight = depthwise
      ? depthwiseFilter(lowering, filter)
      : lowering.name(lowering.arranged(lowering.weight(filter), OIHW), "weight");
    const inputs = [lowering.name(dy), weight, ...biasOf(lowering, node)];
    const name = builder.emit("ConvTranspose", inputs, {
      ...attributesOf(geometry, depthwise ? shape[3] : 1),
      output_padding: outputPadding(shape.slice(1, 3), dy.shape.slice(1, 3), geometry),
    });
    return lowering.made(name, shape, NCHW);
  };
}

/** The filter turned by 180 degrees with input and output channels swapped: a convolution's adjoint. */
function mirroredFilter(lowering: Lowering, filter: Lowered): string {
  const { builder } = lowering;
  const arranged = lowering.arranged(lowering.weight(filter), OIHW);
  const far = -(2 ** 31 - 1);
  const [kh, kw] = filter.shape;
  const turned = kh === 1 && kw === 1 ? lowering.name(arranged) : builder.emit("Slice", [
    lowering.name(arranged),
    builder.integers([-1, -1]),
    builder.integers([far, far]),
    builder.integers([2, 3]),
    builder.integers([-1, -1]),
  ]);
  return builder.emit("Transpose", [turned], { perm: [1, 0, 2, 3] });
}

/** The rules by kernel name. */
export const convRules: Record<string, LoweringRule> = {
  Conv2D: forward(false),
  Conv2DBackpropInput: inputGradient(false),
  DepthwiseConv2dNative: forward(true),
  DepthwiseConv2dNativeBackpropInput: inputGradient(true),
  FusedConv2D: forward(false),
  FusedDepthwiseConv2D: forward(true),
};
