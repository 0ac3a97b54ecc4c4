/** Rules for volumes `[batch, depth, height, width, channels]`: convolution, its adjoint, pooling. */
import { numbersAttribute } from "../trace/attributes.ts";
import type { KernelNode } from "../trace/kernel_graph.ts";
import { volumeConvolutionInfo, volumePoolingInfo } from "../trace/shape_rules_image.ts";
import { outputPadding, paddingAttribute } from "./conv.ts";
import type { Lowered, Lowering, LoweringRule } from "./lowering.ts";

/** Volumes in memory with channels first. */
const NCDHW: readonly number[] = [0, 4, 1, 2, 3];

/** Filters in memory as `[out, in, depth, height, width]`. */
const OIDHW: readonly number[] = [4, 3, 0, 1, 2];

type VolumeInfo = ReturnType<typeof volumeConvolutionInfo>;

function channelsFirst(lowering: Lowering, x: Lowered): string {
  return lowering.name(lowering.arranged(lowering.expanded(x), NCDHW));
}

function attributesOf(info: VolumeInfo) {
  const { front, top, left, back, bottom, right } = info.padInfo;
  const dilations = [info.dilationDepth, info.dilationHeight, info.dilationWidth];
  const behind = (count: number, stride: number, extent: number, length: number, before: number) =>
    (count - 1) * stride + extent - length - before;
  return {
    kernel_shape: [info.filterDepth, info.filterHeight, info.filterWidth],
    strides: [info.strideDepth, info.strideHeight, info.strideWidth],
    // Where the number of windows is rounded up, the last one reaches past the padding asked for.
    pads: [
      front,
      top,
      left,
      Math.max(
        back,
        behind(info.outDepth, info.strideDepth, info.effectiveFilterDepth, info.inDepth, front),
      ),
      Math.max(
        bottom,
        behind(info.outHeight, info.strideHeight, info.effectiveFilterHeight, info.inHeight, top),
      ),
      Math.max(
        right,
        behind(info.outWidth, info.strideWidth, info.effectiveFilterWidth, info.inWidth, left),
      ),
    ],
    ...(dilations.some((dilation) => dilation !== 1) ? { dilations } : {}),
  };
}

function forwardAttributes(lowering: Lowering, node: KernelNode, info: VolumeInfo) {
  const { pads, ...attributes } = attributesOf(info);
  const sides = node.inputs.x.shape.slice(1, 4);
  const { strides } = attributes;
  return { ...attributes, ...paddingAttribute(lowering, node, sides, { strides, pads }) };
}

function weightOf(lowering: Lowering, node: KernelNode): string {
  const filter = lowering.weight(lowering.input(node, "filter"));
  return lowering.name(lowering.arranged(filter, OIDHW), "weight");
}

const convolution: LoweringRule = (lowering, node) => {
  const x = lowering.input(node, "x");
  const info = volumeConvolutionInfo(x.shape, node.inputs.filter.shape, node.attributes);
  const inputs = [channelsFirst(lowering, x), weightOf(lowering, node)];
  const name = lowering.builder.emit("Conv", inputs, forwardAttributes(lowering, node, info));
  return lowering.made(name, node.outputs[0].shape, NCDHW);
};

/** The gradient with respect to the input, which is TensorFlow.js' transposed convolution. */
const inputGradient: LoweringRule = (lowering, node) => {
  const shape = numbersAttribute(node.attributes, "inputShape");
  const dy = lowering.input(node, "dy");
  const info = volumeConvolutionInfo(shape, node.inputs.filter.shape, node.attributes);
  const attributes = attributesOf(info);
  const { kernel_shape: kernel, strides, pads } = attributes;
  const inputs = [channelsFirst(lowering, dy), weightOf(lowering, node)];
  const name = lowering.builder.emit("ConvTranspose", inputs, {
    ...attributes,
    // What a strided convolution left over at the end comes back as zeros.
    output_padding: outputPadding(shape.slice(1, 4), dy.shape.slice(1, 4), {
      kernel,
      strides,
      pads,
      dilations: attributes.dilations,
    }),
  });
  return lowering.made(name, shape, NCDHW);
};

function pool(op: "AveragePool" | "MaxPool"): LoweringRule {
  return (lowering, node) => {
    const x = lowering.input(node, "x");
    const info = volumePoolingInfo(x.shape, node.attributes);
    const attributes = forwardAttributes(lowering, node, info);
    const name = lowering.builder.emit(op, [channelsFirst(lowering, x)], attributes);
    return lowering.made(name, node.outputs[0].shape, NCDHW);
  };
}

/** The rules by kernel name. */
export const volumeRules: Record<string, LoweringRule> = {
  AvgPool3D: pool("AveragePool"),
  Conv3D: convolution,
  Conv3DBackpropInputV2: inputGradient,
  MaxPool3D: pool("MaxPool"),
};
