/** Shapes of kernels that move elements around without computing. */
import { tf } from "../../engine/tf.ts";
import {
  numberAttribute,
  numbersAttribute,
  paddingsAttribute,
  textAttribute,
} from "./attributes.ts";
import { type KernelType, type KernelValue, sizeOf } from "./kernel_graph.ts";
import { resolveAxes, resolveAxis, type ShapeRule } from "./shape_rule.ts";

/** Begin and size of a slice along each axis; both may be given short, and sizes as -1. */
export function sliceWindow(
  shape: readonly number[],
  attributes: Readonly<Record<string, unknown>>,
): { begin: number[]; size: number[] } {
  const input = { shape: [...shape], dtype: "float32" as const, dataId: {} };
  const [begin, size] = tf.slice_util.parseSliceParams(
    input,
    attributes.begin as number | number[],
    attributes.size as number | number[] | undefined,
  );
  return { begin, size };
}

/** What a strided slice selects, in the terms of `tf.slice_util.sliceInfo`. */
export function stridedSliceWindow(
  shape: readonly number[],
  attributes: Readonly<Record<string, unknown>>,
): ReturnType<typeof tf.slice_util.sliceInfo> {
  return tf.slice_util.sliceInfo(
    [...shape],
    numbersAttribute(attributes, "begin"),
    numbersAttribute(attributes, "end"),
    numbersAttribute(attributes, "strides"),
    numberAttribute(attributes, "beginMask", 0),
    numberAttribute(attributes, "endMask", 0),
    numberAttribute(attributes, "ellipsisMask", 0),
    numberAttribute(attributes, "newAxisMask", 0),
    numberAttribute(attributes, "shrinkAxisMask", 0),
  );
}

/** The lengths of the pieces of a split. */
export function splitSizes(
  x: KernelValue,
  attributes: Readonly<Record<string, unknown>>,
): { axis: number; sizes: number[] } {
  const axis = resolveAxis(numberAttribute(attributes, "axis", 0), x.shape.length);
  const wanted = attributes.numOrSizeSplits as number | number[];
  const template = { shape: x.shape } as Parameters<typeof tf.backend_util.prepareSplitSize>[0];
  return { axis, sizes: tf.backend_util.prepareSplitSize(template, wanted, axis) };
}

function replaceAt(shape: readonly number[], axis: number, dims: number[]): number[] {
  return [...shape.slice(0, axis), ...dims, ...shape.slice(axis + 1)];
}

/** The rules by kernel name. */
export const arrayRules: Record<string, ShapeRule> = {
  Concat: (inputs, attributes) => {
    const parts = Object.values(inputs);
    const axis = resolveAxes(attributes.axis, parts[0].shape)[0];
    const length = parts.reduce((sum, part) => sum + part.shape[axis], 0);
    return [{ shape: replaceAt(parts[0].shape, axis, [length]) }];
  },
  ExpandDims: ({ input }, attributes) => {
    const axis = resolveAxis(numberAttribute(attributes, "dim"), input.shape.length + 1);
    return [{ shape: [...input.shape.slice(0, axis), 1, ...input.shape.slice(axis)] }];
  },
  FlipLeftRight: ({ image }) => [{ shape: image.shape }],
  GatherNd: ({ params, indices }) => {
    const depth = indices.shape[indices.shape.length - 1];
    return [{ shape: [...indices.shape.slice(0, -1), ...params.shape.slice(depth)] }];
  },
  GatherV2: ({ x, indices }, attributes) => {
    const axis = resolveAxes(attributes.axis, x.shape)[0];
    const batchDims = numberAttribute(attributes, "batchDims", 0);
    if (batchDims !== 0) throw new RangeError("Cannot trace gather with batchDims other than 0");
    return [{ shape: replaceAt(x.shape, axis, indices.shape) }];
  },
  LinSpace: (_, attributes) => [{ shape: [numberAttribute(attributes, "num")] }],
  MirrorPad: ({ x }, attributes) => {
    const paddings = paddingsAttribute(attributes, "paddings");
    return [{ shape: x.shape.map((dim, axis) => dim + paddings[axis][0] + paddings[axis][1]) }];
  },
  OneHot: ({ indices }, attributes) => [{
    shape: [...indices.shape, numberAttribute(attributes, "depth")],
    dtype: (textAttribute(attributes, "dtype") ?? "int32") as KernelType,
  }],
  Pack: (inputs, attributes) => {
    const parts = Object.values(inputs);
    const { shape } = parts[0];
    const axis = resolveAxis(numberAttribute(attributes, "axis", 0), shape.length + 1);
    return [{ shape: [...shape.slice(0, axis), parts.length, ...shape.slice(axis)] }];
  },
  PadV2: ({ x }, attributes) => {
    const paddings = paddingsAttribute(attributes, "paddings");
    return [{ shape: x.shape.map((dim, axis) => dim + paddings[axis][0] + paddings[axis][1]) }];
  },
  Range: (_, attributes) => {
    const [start, stop, step] = ["start", "stop", "step"]
      .map((name) => numberAttribute(attributes, name));
    const dtype = (textAttribute(attributes, "dtype") ?? "float32") as KernelType;
    return [{ shape: [Math.abs(Math.ceil((stop - start) / step))], dtype }];
  },
  Reshape: ({ x }, attributes) => [{
    shape: tf.util.inferFromImplicitShape(numbersAttribute(attributes, "shape"), sizeOf(x.shape)),
  }],
  Reverse: ({ x }) => [{ shape: x.shape }],
  ScatterNd: ({ updates }, attributes) => [{
    shape: numbersAttribute(attributes, "shape"),
    dtype: updates.dtype,
  }],
  Slice: ({ x }, attributes) => [{
    shape: sliceWindow(x.shape, attributes).size,
  }],
  SplitV: ({ x }, attributes) => {
    const { axis, sizes } = splitSizes(x, attributes);
    return sizes.map((size) => ({ shape: replaceAt(x.shape, axis, [size]) }));
  },
  StridedSlice: ({ x }, attributes) => [{
    shape: stridedSliceWindow(x.shape, attributes).finalShape,
  }],
  Tile: ({ x }, attributes) => {
    const reps = numbersAttribute(attributes, "reps");
    return [{ shape: x.shape.map((dim, axis) => dim * reps[axis]) }];
  },
  TopK: ({ x }, attributes) => {
    const shape = [...x.shape.slice(0, -1), numberAttribute(attributes, "k")];
    return [{ shape }, { shape, dtype: "int32" }];
  },
  Transpose: ({ x }, attributes) => [{
    shape: numbersAttribute(attributes, "perm").map((axis) => x.shape[axis]),
  }],
  Unpack: ({ value }, attributes) => {
    const axis = resolveAxis(numberAttribute(attributes, "axis", 0), value.shape.length);
    const shape = replaceAt(value.shape, axis, []);
    return Array.from({ length: value.shape[axis] }, () => ({ shape }));
  },
  UnsortedSegmentSum: ({ x, segmentIds }, attributes) => [{
    shape: [
      numberAttribute(attributes, "numSegments"),
      ...x.shape.slice(segmentIds.shape.length),
    ],
  }],
};
