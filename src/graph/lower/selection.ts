/** Rules for kernels that pick elements: slices, padding, gathering, one-hot vectors. */
import { tf } from "../../tensor/tf.ts";
import { numberAttribute, paddingsAttribute, textAttribute } from "../trace/attributes.ts";
import type { KernelNode } from "../trace/kernel_graph.ts";
import { resolveAxes } from "../trace/shape_rule.ts";
import { sliceWindow, stridedSliceWindow } from "../trace/shape_rules_array.ts";
import { arrange, range } from "./layout.ts";
import { constantFill, type Lowered, type Lowering, type LoweringRule } from "./lowering.ts";

/** Larger than any length: "to the end" of an ONNX slice, and as a negative number past its start. */
const FAR = 2 ** 31 - 1;

/** One window of a slice: `begin`, `end` (exclusive) and `step` along a logical axis. */
export interface SliceAxis {
  /** The logical axis. */
  axis: number;
  /** The first index; -1 is the last element. */
  begin: number;
  /** The index behind the last one. */
  end: number;
  /** May be negative. */
  step: number;
}

/** Cuts windows out of a tensor. `shape` is the result's. */
export function slice(
  lowering: Lowering,
  x: Lowered,
  windows: readonly SliceAxis[],
  shape: readonly number[],
): Lowered {
  const active = windows.filter(({ axis, begin, end, step }) =>
    x.stored[axis] !== 1 && !(begin === 0 && end >= x.stored[axis] && step === 1)
  );
  const stored = x.stored.map((dim, axis) => dim === 1 ? 1 : shape[axis]);
  if (active.length === 0) return { ...x, shape, stored };
  const { builder } = lowering;
  const name = builder.emit("Slice", [
    lowering.name(x),
    builder.integers(active.map(({ begin }) => begin)),
    builder.integers(active.map(({ end, step }) => step < 0 && end < 0 ? -FAR : end)),
    builder.integers(active.map(({ axis }) => x.order.indexOf(axis))),
    ...(active.some(({ step }) => step !== 1)
      ? [builder.integers(active.map(({ step }) => step))]
      : []),
  ]);
  return { shape, stored, order: x.order, dtype: x.dtype, name };
}

const plainSlice: LoweringRule = (lowering, node) => {
  const x = lowering.input(node, "x");
  const window = sliceWindow(x.shape, node.attributes);
  const windows = range(x.shape.length).map((axis) => ({
    axis,
    begin: window.begin[axis],
    end: window.begin[axis] + window.size[axis],
    step: 1,
  }));
  return slice(lowering, x, windows, window.size);
};

const stridedSlice: LoweringRule = (lowering, node) => {
  const x = lowering.input(node, "x");
  const window = stridedSliceWindow(x.shape, node.attributes);
  const windows = range(x.shape.length).map((axis) => ({
    axis,
    begin: window.begin[axis],
    end: window.end[axis],
    step: window.strides[axis],
  }));
  const lengths = tf.slice_util.computeOutShape(window.begin, window.end, window.strides);
  // New axes come and chosen ones go only now: the slice itself keeps all axes of its input.
  return lowering.reshaped(slice(lowering, x, windows, lengths), window.finalShape);
};

function reversed(lowering: Lowering, x: Lowered, axes: readonly number[]): Lowered {
  const windows = axes.map((axis) => ({ axis, begin: -1, end: -FAR, step: -1 }));
  return slice(lowering, x, windows, x.shape);
}

const reverse: LoweringRule = (lowering, node) => {
  const x = lowering.input(node, "x");
  return reversed(lowering, x, resolveAxes(node.attributes.dims, x.shape));
};

/** Adds elements around a tensor: a constant, or for `"reflect"` its own elements mirrored. */
export function pad(
  lowering: Lowering,
  input: Lowered,
  paddings: readonly (readonly [number, number])[],
  mode: { constant: number } | "reflect",
): Lowered {
  if (paddings.every(([before, after]) => before === 0 && after === 0)) return input;
  const x = lowering.expanded(input);
  const { builder } = lowering;
  const before = arrange(paddings.map(([count]) => count), x.order);
  const after = arrange(paddings.map(([, count]) => count), x.order);
  const pads = builder.integers([...before, ...after]);
  const name = mode === "reflect"
    ? builder.emit("Pad", [lowering.name(x), pads], { mode })
    : builder.emit("Pad", [
      lowering.name(x),
      pads,
      lowering.name(constantFill(mode.constant, [], x.dtype)),
    ]);
  const shape = x.shape.map((dim, axis) => dim + paddings[axis][0] + paddings[axis][1]);
  return lowering.made(name, shape, x.order, x.dtype);
}

const mirrorPad: LoweringRule = (lowering, node) => {
  const paddings = paddingsAttribute(node.attributes, "paddings");
  let x = lowering.input(node, "x");
  if (textAttribute(node.attributes, "mode") === "reflect") {
    return pad(lowering, x, paddings, "reflect");
  }
  // "symmetric" repeats the edge itself, which ONNX' Pad does not know: gather the mirrored indices.
  for (const [axis, [before, after]] of paddings.entries()) {
    if (before === 0 && after === 0) continue;
    const length = x.shape[axis];
    const indices = range(before + length + after).map((position) => {
      const index = position - before;
      if (index < 0) return -index - 1;
      return index < length ? index : 2 * length - 1 - index;
    });
    const full = lowering.expanded(x);
    const name = lowering.builder.emit(
      "Gather",
      [lowering.name(full), lowering.builder.integers(indices)],
      { axis: full.order.indexOf(axis) },
    );
    const shape = full.shape.map((dim, index) => index === axis ? indices.length : dim);
    x = lowering.made(name, shape, full.order, full.dtype);
  }
  return x;
};

/** An input in plain layout, expanded. */
export function plainInput(lowering: Lowering, node: KernelNode, name: string): Lowered {
  return lowering.plain(lowering.expanded(lowering.input(node, name)));
}

/** Whole numbers as ONNX wants indices. */
export function asIndices(lowering: Lowering, x: Lowered): string {
  return lowering.builder.emit("Cast", [lowering.name(x)], { to: 7 }); // int64
}

const gather: LoweringRule = (lowering, node) => {
  const x = plainInput(lowering, node, "x");
  const indices = plainInput(lowering, node, "indices");
  const axis = resolveAxes(node.attributes.axis, x.shape)[0];
  const batchDims = numberAttribute(node.attributes, "batchDims", 0);
  if (batchDims > 0) {
    if (axis !== batchDims) {
      throw new RangeError(
        `Cannot write a gather on axis ${axis} with ${batchDims} batch dimensions`,
      );
    }
    const column = lowering.reshaped(indices, [...indices.shape, 1]);
    const inputs = [lowering.name(x), asIndices(lowering, column)];
    const name = lowering.builder.emit("GatherND", inputs, { batch_dims: batchDims });
    return lowering.made(name, node.outputs[0].shape, undefined, x.dtype);
  }
  const name = lowering.builder.emit("Gather", [lowering.name(x), lowering.name(indices)], {
    axis,
  });
  return lowering.made(name, node.outputs[0].shape, undefined, x.dtype);
};

const oneHot: LoweringRule = (lowering, node) => {
  const { shape, dtype } = node.outputs[0];
  const depth = shape[shape.length - 1];
  const indices = lowering.plain(lowering.expanded(lowering.input(node, "indices")));
  const column = lowering.reshaped(indices, [...indices.shape, 1]);
  const classes: Lowered = {
    ...lowering.made("", [depth], undefined, "int32"),
    name: undefined,
    data: Int32Array.from(range(depth)),
  };
  const hits = lowering.elementwise("Equal", [column, classes], "bool");
  const on = numberAttribute(node.attributes, "onValue", 1);
  const off = numberAttribute(node.attributes, "offValue", 0);
  if (on === 1 && off === 0) return lowering.cast(hits, dtype);
  const values = [on, off].map((value) => constantFill(value, [], dtype));
  return lowering.elementwise("Where", [hits, ...values], dtype);
};

const gatherNd: LoweringRule = (lowering, node) => {
  const params = plainInput(lowering, node, "params");
  const indices = asIndices(lowering, plainInput(lowering, node, "indices"));
  const name = lowering.builder.emit("GatherND", [lowering.name(params), indices]);
  return lowering.made(name, node.outputs[0].shape, undefined, params.dtype);
};

const topK: LoweringRule = (lowering, node) => {
  const { builder } = lowering;
  const x = plainInput(lowering, node, "x");
  const [{ shape }] = node.outputs;
  const [values, places] = builder.emitAll(
    "TopK",
    [lowering.name(x), builder.integers([shape[shape.length - 1]])],
    { axis: -1 },
    { outputs: 2 },
  );
  const narrowed = builder.emit("Cast", [places], { to: 6 }); // int64 to int32
  return [
    lowering.made(values, shape, undefined, x.dtype),
    lowering.made(narrowed, shape, undefined, "int32"),
  ];
};

/** The rules by kernel name. */
export const selectionRules: Record<string, LoweringRule> = {
  FlipLeftRight: (lowering, node) => reversed(lowering, lowering.input(node, "image"), [2]),
  GatherNd: gatherNd,
  GatherV2: gather,
  MirrorPad: mirrorPad,
  OneHot: oneHot,
  PadV2: (lowering, node) =>
    pad(lowering, lowering.input(node, "x"), paddingsAttribute(node.attributes, "paddings"), {
      constant: numberAttribute(node.attributes, "constantValue", 0),
    }),
  Reverse: reverse,
  Slice: plainSlice,
  StridedSlice: stridedSlice,
  TopK: topK,
};
