/** Rules for scatter kernels: scatter-add, scatter-update, segment sums, diagonals. */
import { elementCount } from "../../bytes.ts";
import type { KernelNode } from "../trace/kernel_graph.ts";
import { constantFill, type Lowered, type Lowering, type LoweringRule } from "./lowering.ts";
import { asIndices, plainInput } from "./selection.ts";

/** A tensor of one value. */
function filled(lowering: Lowering, value: Lowered, shape: readonly number[]): string {
  const { builder } = lowering;
  return builder.emit("Expand", [lowering.name(value), builder.integers(shape)]);
}

/** Scatter-add of slices onto zeros. */
function scatterAdd(
  lowering: Lowering,
  node: KernelNode,
  indices: Lowered,
  slices: Lowered,
): Lowered {
  lowering.requireOpset(16, node); // the reduction
  const { builder } = lowering;
  const [{ shape, dtype }] = node.outputs;
  const zeros = filled(lowering, constantFill(0, [], dtype), shape);
  const name = builder.emit(
    "ScatterND",
    [zeros, asIndices(lowering, indices), lowering.name(slices)],
    { reduction: "add" },
  );
  return lowering.made(name, shape, undefined, dtype);
}

/** Sums rows of one segment: the gradient of gathering rows. */
const segmentSum: LoweringRule = (lowering, node) => {
  const segments = plainInput(lowering, node, "segmentIds");
  const count = elementCount(segments.shape);
  const x = plainInput(lowering, node, "x");
  const inner = node.outputs[0].shape.slice(1);
  const rows = lowering.plain(lowering.reshaped(x, [count, ...inner]));
  return scatterAdd(lowering, node, lowering.reshaped(segments, [count, 1]), rows);
};

/** Overwrites slices of a tensor. */
const scatterUpdate: LoweringRule = (lowering, node) => {
  const tensor = plainInput(lowering, node, "tensor");
  const name = lowering.builder.emit("ScatterND", [
    lowering.name(tensor),
    asIndices(lowering, plainInput(lowering, node, "indices")),
    lowering.name(plainInput(lowering, node, "updates")),
  ]);
  return lowering.made(name, node.outputs[0].shape, undefined, tensor.dtype);
};

/** A tensor of one value except at given indices. */
const sparseToDense: LoweringRule = (lowering, node) => {
  const [{ shape, dtype }] = node.outputs;
  const indices = plainInput(lowering, node, "sparseIndices");
  const depth = indices.shape.length < 2 ? 1 : indices.shape[1];
  const count = elementCount(indices.shape) / depth;
  const values = lowering.input(node, "sparseValues");
  const updates = values.shape.length > 0
    ? lowering.name(plainInput(lowering, node, "sparseValues"))
    : filled(lowering, values, [count]);
  const name = lowering.builder.emit("ScatterND", [
    filled(lowering, lowering.input(node, "defaultValue"), shape),
    asIndices(lowering, lowering.reshaped(indices, [count, depth])),
    updates,
  ]);
  return lowering.made(name, shape, undefined, dtype);
};

/** Puts a tensor on the diagonal of zeros. */
const diagonal: LoweringRule = (lowering, node) => {
  const [{ shape, dtype }] = node.outputs;
  const x = plainInput(lowering, node, "x");
  const size = elementCount(x.shape);
  const mask = new Uint8Array(size * size);
  for (let index = 0; index < size; index++) mask[index * (size + 1)] = 1;
  const isDiagonal: Lowered = {
    shape: [size, size],
    stored: [size, size],
    order: [0, 1],
    dtype: "bool",
    data: mask,
  };
  const row = lowering.reshaped(x, [1, size]);
  const square = lowering.elementwise(
    "Where",
    [isDiagonal, row, constantFill(0, [], dtype)],
    dtype,
  );
  return lowering.reshaped(square, shape);
};

/** The rules by kernel name. */
export const scatterRules: Record<string, LoweringRule> = {
  Diag: diagonal,
  ScatterNd: (lowering, node) =>
    scatterAdd(
      lowering,
      node,
      plainInput(lowering, node, "indices"),
      plainInput(lowering, node, "updates"),
    ),
  SparseToDense: sparseToDense,
  TensorScatterUpdate: scatterUpdate,
  UnsortedSegmentSum: segmentSum,
};
