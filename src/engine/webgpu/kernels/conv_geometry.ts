/**
 * The geometry of a 2-D convolution in NHWC, as the kernels' uniform block has it. One set of numbers
 * serves the forward pass, both gradients and the transposed convolution.
 */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../tf.ts";

/** Sizes of one convolution. */
export interface ConvGeometry {
  batch: number;
  /** Height, width and channels of the input. */
  height: number;
  width: number;
  channels: number;
  /** Height, width and channels of the output. */
  outHeight: number;
  outWidth: number;
  outChannels: number;
  kernelHeight: number;
  kernelWidth: number;
  strideHeight: number;
  strideWidth: number;
  dilationHeight: number;
  dilationWidth: number;
  /** Zeros above and to the left of the input. */
  padTop: number;
  padLeft: number;
}

/** Names of the fields in the uniform block, in order. */
export const GEOMETRY_FIELDS = [
  "batch",
  "height",
  "width",
  "channels",
  "outHeight",
  "outWidth",
  "outChannels",
  "kernelHeight",
  "kernelWidth",
  "strideHeight",
  "strideWidth",
  "dilationHeight",
  "dilationWidth",
  "padTop",
  "padLeft",
] as const;

/** The numbers of {@linkcode GEOMETRY_FIELDS}. */
export function geometryValues(geometry: ConvGeometry): number[] {
  return GEOMETRY_FIELDS.map((field) => geometry[field]);
}

/** What TensorFlow.js's convolution kernels have as attributes. */
export interface ConvAttributes {
  strides: [number, number] | number;
  pad: "valid" | "same" | number | tfTypes.backend_util.ExplicitPadding;
  dataFormat?: "NHWC" | "NCHW";
  dilations?: [number, number] | number;
  dimRoundingMode?: "floor" | "round" | "ceil";
}

/** The geometry of a kernel's call, or undefined for what these kernels do not do (NCHW). */
export function convGeometry(
  inputShape: number[],
  filterShape: number[],
  attrs: ConvAttributes,
): ConvGeometry | undefined {
  const { strides, pad, dataFormat = "NHWC", dilations = 1, dimRoundingMode } = attrs;
  if (dataFormat !== "NHWC") return undefined;
  const info = tf.backend_util.computeConv2DInfo(
    inputShape as [number, number, number, number],
    filterShape as [number, number, number, number],
    strides,
    dilations,
    pad,
    dimRoundingMode,
  );
  return {
    batch: info.batchSize,
    height: info.inHeight,
    width: info.inWidth,
    channels: info.inChannels,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    outChannels: info.outChannels,
    kernelHeight: info.filterHeight,
    kernelWidth: info.filterWidth,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    dilationHeight: info.dilationHeight,
    dilationWidth: info.dilationWidth,
    padTop: info.padInfo.top,
    padLeft: info.padInfo.left,
  };
}
