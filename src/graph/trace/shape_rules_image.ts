/** Shapes of kernels on images `[batch, height, width, channels]`: convolution, pooling, resizing. */
import { tf } from "../../tensor/tf.ts";
import { numberAttribute, numbersAttribute, pairAttribute, tripleAttribute } from "./attributes.ts";
import type { ShapeRule } from "./shape_rule.ts";

type Attributes = Readonly<Record<string, unknown>>;
type Shape4 = [number, number, number, number];
type Shape5 = [number, number, number, number, number];
type Rounding = "floor" | "round" | "ceil";

/** The geometry of a convolution: strides, dilations, explicit padding, output shape. */
export function convolutionInfo(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attributes: Attributes,
  depthwise = false,
): ReturnType<typeof tf.backend_util.computeConv2DInfo> {
  const dataFormat = attributes.dataFormat ?? "NHWC";
  if (dataFormat !== "NHWC") {
    throw new RangeError(`Cannot trace a convolution of data format ${dataFormat}: NHWC only`);
  }
  return tf.backend_util.computeConv2DInfo(
    inputShape as Shape4,
    filterShape as Shape4,
    pairAttribute(attributes, "strides"),
    pairAttribute(attributes, "dilations", 1),
    attributes.pad as number | "same" | "valid",
    attributes.dimRoundingMode as Rounding | undefined,
    depthwise,
  );
}

/** The geometry of a pooling window. */
export function poolingInfo(
  inputShape: readonly number[],
  attributes: Attributes,
): ReturnType<typeof tf.backend_util.computePool2DInfo> {
  return tf.backend_util.computePool2DInfo(
    inputShape as Shape4,
    pairAttribute(attributes, "filterSize"),
    pairAttribute(attributes, "strides"),
    1,
    attributes.pad as number | "same" | "valid",
    attributes.dimRoundingMode as Rounding | undefined,
  );
}

/** The geometry of a convolution of volumes `[batch, depth, height, width, channels]`. */
export function volumeConvolutionInfo(
  inputShape: readonly number[],
  filterShape: readonly number[],
  attributes: Attributes,
): ReturnType<typeof tf.backend_util.computeConv3DInfo> {
  return tf.backend_util.computeConv3DInfo(
    inputShape as Shape5,
    filterShape as Shape5,
    tripleAttribute(attributes, "strides"),
    tripleAttribute(attributes, "dilations", 1),
    attributes.pad as "same" | "valid",
  );
}

/** The geometry of a pooling window of volumes. */
export function volumePoolingInfo(
  inputShape: readonly number[],
  attributes: Attributes,
): ReturnType<typeof tf.backend_util.computePool3DInfo> {
  return tf.backend_util.computePool3DInfo(
    inputShape as Shape5,
    tripleAttribute(attributes, "filterSize"),
    tripleAttribute(attributes, "strides"),
    1,
    attributes.pad as number | "same" | "valid",
    attributes.dimRoundingMode as Rounding | undefined,
  );
}

function convolution(depthwise: boolean): ShapeRule {
  return ({ x, filter }, attributes) => [{
    shape: convolutionInfo(x.shape, filter.shape, attributes, depthwise).outShape,
  }];
}

const pool: ShapeRule = ({ x }, attributes) => [{
  shape: poolingInfo(x.shape, attributes).outShape,
}];

const volumePool: ShapeRule = ({ x }, attributes) => [{
  shape: volumePoolingInfo(x.shape, attributes).outShape,
}];

const resize: ShapeRule = ({ images }, attributes) => {
  const [height, width] = pairAttribute(attributes, "size");
  return [{ shape: [images.shape[0], height, width, images.shape[3]], dtype: "float32" }];
};

const inputGradient: ShapeRule = (_, attributes) => [{
  shape: numbersAttribute(attributes, "inputShape"),
}];

const filterGradient: ShapeRule = (_, attributes) => [{
  shape: numbersAttribute(attributes, "filterShape"),
}];

/** The rules by kernel name. */
export const imageShapeRules: Record<string, ShapeRule> = {
  AvgPool: pool,
  AvgPool3D: volumePool,
  AvgPoolGrad: ({ input }) => [{ shape: input.shape }],
  Conv2D: convolution(false),
  Conv2DBackpropFilter: filterGradient,
  Conv2DBackpropInput: inputGradient,
  Conv3D: ({ x, filter }, attributes) => [{
    shape: volumeConvolutionInfo(x.shape, filter.shape, attributes).outShape,
  }],
  Conv3DBackpropInputV2: inputGradient,
  DepthToSpace: ({ x }, attributes) => {
    const block = numberAttribute(attributes, "blockSize");
    const [batch, height, width, channels] = x.shape;
    return [{ shape: [batch, height * block, width * block, channels / (block * block)] }];
  },
  DepthwiseConv2dNative: convolution(true),
  DepthwiseConv2dNativeBackpropFilter: filterGradient,
  DepthwiseConv2dNativeBackpropInput: inputGradient,
  FusedBatchNorm: ({ x }) => [{ shape: x.shape }],
  FusedConv2D: convolution(false),
  FusedDepthwiseConv2D: convolution(true),
  LRN: ({ x }) => [{ shape: x.shape }],
  MaxPool: pool,
  MaxPool3D: volumePool,
  MaxPoolGrad: ({ input }) => [{ shape: input.shape }],
  ResizeBilinear: resize,
  ResizeBilinearGrad: ({ images }) => [{ shape: images.shape }],
  ResizeNearestNeighbor: resize,
  ResizeNearestNeighborGrad: ({ images }) => [{ shape: images.shape }],
};
