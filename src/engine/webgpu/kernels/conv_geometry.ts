/**
 * The geometry of a 2-D convolution in NHWC, as the kernels know it: in a uniform block, or as constants
 * of the program. One set of numbers serves the forward pass, both gradients and the transposed
 * convolution.
 */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../../tensor/tf.ts";

/** Sizes of one convolution. */
export interface ConvGeometry {
  /** Images. */
  batch: number;
  /** Rows of the input. */
  height: number;
  /** Columns of the input. */
  width: number;
  /** Channels of the input. */
  channels: number;
  /** Rows of the output. */
  outHeight: number;
  /** Columns of the output. */
  outWidth: number;
  /** Channels of the output. */
  outChannels: number;
  /** Rows of the filter. */
  kernelHeight: number;
  /** Columns of the filter. */
  kernelWidth: number;
  /** Rows of the input from one output row to the next. */
  strideHeight: number;
  /** The same for columns. */
  strideWidth: number;
  /** Rows of the input from one row of the filter to the next. */
  dilationHeight: number;
  /** The same for columns. */
  dilationWidth: number;
  /** Rows of zeros above the input. */
  padTop: number;
  /** Columns of zeros to the left of the input. */
  padLeft: number;
  /** The number of groups of channels; a filter sees the input channels of its own. */
  groups: number;
}

/** Names of the fields that kernels have, in order; groups are a matter of the program. */
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
] as const satisfies (keyof ConvGeometry)[];

/** The numbers of {@linkcode GEOMETRY_FIELDS}. */
export function geometryValues(geometry: ConvGeometry): number[] {
  return GEOMETRY_FIELDS.map((field) => geometry[field]);
}

/** What TensorFlow.js's convolution kernels have as attributes. */
export interface ConvAttributes {
  /** Along rows and columns. */
  strides: [number, number] | number;
  /** A rule, or the zeros on each side. */
  pad: "valid" | "same" | number | tfTypes.backend_util.ExplicitPadding;
  /** Default "NHWC". */
  dataFormat?: "NHWC" | "NCHW";
  /** Default 1. */
  dilations?: [number, number] | number;
  /** What becomes of an output size that is not whole. */
  dimRoundingMode?: "floor" | "round" | "ceil";
  /** Default 1; a kernel of ours has more. */
  groups?: number;
}

/** The geometry of a kernel's call, or undefined for what these kernels do not do (NCHW). */
export function convGeometry(
  inputShape: number[],
  filterShape: number[],
  attrs: ConvAttributes,
): ConvGeometry | undefined {
  const { strides, pad, dataFormat = "NHWC", dilations = 1, dimRoundingMode, groups = 1 } = attrs;
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
    groups,
  };
}
