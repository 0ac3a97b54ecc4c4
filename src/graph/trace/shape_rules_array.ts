/** Shapes of kernels that move elements around without computing. */
import { elementCount } from "../../bytes.ts";
import { tf } from "../../tensor/tf.ts";
import {
  numberAttribute,
  numbersAttribute,
  paddingsAttribute,
  textAttribute,
} from "./attributes.ts";
import type { KernelType, KernelValue } from "./kernel_graph.ts";
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

/** The steps of moving blocks of space into the batch: pad, split, permute, join. */
export function spaceToBatchShapes(
  shape: readonly number[],
  attributes: Readonly<Record<string, unknown>>,
): { paddings: [number, number][]; split: number[]; perm: number[]; joined: number[] } {
  const block = numbersAttribute(attributes, "blockShape");
  const given = paddingsAttribute(attributes, "paddings");
  const none = Array.from(
    { length: shape.length - 1 - block.length },
    (): [number, number] => [0, 0],
  );
  const paddings: [number, number][] = [[0, 0], ...given, ...none];
  const padded = shape.map((dim, axis) => dim + paddings[axis][0] + paddings[axis][1]);
  const { getReshaped, getPermuted, getReshapedPermuted } = tf.backend_util;
  const count = elementCount(block);
  const split = getReshaped(padded, block, count, false);
  return {
    paddings,
    split,
    perm: getPermuted(split.length, block.length, false),
    joined: getReshapedPermuted(padded, block, count, false),
  };
}

/** The steps of the way back: split, permute, join, crop. */
export function batchToSpaceShapes(
  shape: readonly number[],
  attributes: Readonly<Record<string, unknown>>,
): { split: number[]; perm: number[]; joined: number[]; begin: number[]; cropped: number[] } {
  const block = numbersAttribute(attributes, "blockShape");
  const crops = paddingsAttribute(attributes, "crops");
  const { getReshaped, getPermuted, getReshapedPermuted } = tf.backend_util;
  const count = elementCount(block);
  const split = getReshaped([...shape], block, count);
  const joined = getReshapedPermuted([...shape], block, count);
  const cropOf = (axis: number) => crops[axis - 1] ?? [0, 0]; // the batch is axis 0
  const begin = joined.map((_, axis) => cropOf(axis)[0]);
  return {
    split,
    perm: getPermuted(split.length, block.length),
    joined,
    begin,
    cropped: joined.map((dim, axis) => dim - begin[axis] - cropOf(axis)[1]),
  };
}

function replaceAt(shape: readonly number[], axis: number, dims: number[]): number[] {
  return [...shape.slice(0, axis), ...dims, ...shape.slice(axis + 1)];
}

const padded: ShapeRule = ({ x }, attributes) => {
  const paddings = paddingsAttribute(attributes, "paddings");
  return [{ shape: x.shape.map((dim, axis) => dim + paddings[axis][0] + paddings[axis][1]) }];
};

/** The rules by kernel name. */
export const arrayShapeRules: Record<string, ShapeRule> = {
  BatchToSpaceND: ({ x }, attributes) => {
    const { cropped } = batchToSpaceShapes(x.shape, attributes);
    return [{ shape: cropped }];
  },
  Concat: (inputs, attributes) => {
    const parts = Object.values(inputs);
    const axis = resolveAxes(attributes.axis, parts[0].shape)[0];
    const length = parts.reduce((sum, part) => sum + part.shape[axis], 0);
    return [{ shape: replaceAt(parts[0].shape, axis, [length]) }];
  },
  Diag: ({ x }) => [{ shape: [...x.shape, ...x.shape] }],
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
    return [{ shape: replaceAt(x.shape, axis, indices.shape.slice(batchDims)) }];
  },
  LinSpace: (_, attributes) => [{ shape: [numberAttribute(attributes, "num")] }],
  MirrorPad: padded,
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
  PadV2: padded,
  Range: (_, attributes) => {
    const [start, stop, step] = ["start", "stop", "step"]
      .map((name) => numberAttribute(attributes, name));
    const dtype = (textAttribute(attributes, "dtype") ?? "float32") as KernelType;
    return [{ shape: [Math.abs(Math.ceil((stop - start) / step))], dtype }];
  },
  Reshape: ({ x }, attributes) => [{
    shape: tf.util.inferFromImplicitShape(
      numbersAttribute(attributes, "shape"),
      elementCount(x.shape),
    ),
  }],
  Reverse: ({ x }) => [{ shape: x.shape }],
  ScatterNd: ({ updates }, attributes) => [{
    shape: numbersAttribute(attributes, "shape"),
    dtype: updates.dtype,
  }],
  Slice: ({ x }, attributes) => [{
    shape: sliceWindow(x.shape, attributes).size,
  }],
  SpaceToBatchND: (
    { x },
    attributes,
  ) => [{ shape: spaceToBatchShapes(x.shape, attributes).joined }],
  SparseToDense: ({ sparseValues }, attributes) => [{
    shape: numbersAttribute(attributes, "outputShape"),
    dtype: sparseValues.dtype,
  }],
  SplitV: ({ x }, attributes) => {
    const { axis, sizes } = splitSizes(x, attributes);
    return sizes.map((size) => ({ shape: replaceAt(x.shape, axis, [size]) }));
  },
  StridedSlice: ({ x }, attributes) => [{
    shape: stridedSliceWindow(x.shape, attributes).finalShape,
  }],
  TensorScatterUpdate: ({ tensor }) => [{ shape: tensor.shape }],
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
