/** Rules for resizing, depth-to-space and batch normalization with given statistics. */
import { flagAttribute, numberAttribute, textAttribute } from "../trace/attributes.ts";
import type { KernelNode } from "../trace/kernel_graph.ts";
import { asNCHW } from "./conv.ts";
import { add, multiply, subtract } from "./elementwise.ts";
import { NCHW, range } from "./layout.ts";
import { constantFill, type Lowered, type Lowering, type LoweringRule } from "./lowering.ts";

/** How the output's positions lie on the input's axis. */
interface Sampling {
  from: number;
  to: number;
  alignCorners: boolean;
  halfPixelCenters: boolean;
}

function samplings(node: KernelNode, from: readonly number[], to: readonly number[]): Sampling[] {
  const alignCorners = flagAttribute(node.attributes, "alignCorners");
  const halfPixelCenters = flagAttribute(node.attributes, "halfPixelCenters");
  return [1, 2].map((axis) => ({
    from: from[axis],
    to: to[axis],
    alignCorners,
    halfPixelCenters,
  }));
}

/** The position on the input's axis for each output, as TensorFlow.js' kernels compute it. */
function sourcePositions({ from, to, alignCorners, halfPixelCenters }: Sampling): number[] {
  const ratio = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
  return range(to).map((index) => halfPixelCenters ? ratio * (index + 0.5) : ratio * index);
}

function nearestIndices(sampling: Sampling): number[] {
  const round = sampling.alignCorners ? Math.round : Math.floor;
  return sourcePositions(sampling).map((position) => Math.min(sampling.from - 1, round(position)));
}

/** `[to, from]` weights: row k says what output k is made of. */
function nearestMatrix(sampling: Sampling): Float32Array {
  const matrix = new Float32Array(sampling.to * sampling.from);
  nearestIndices(sampling).forEach((source, row) => matrix[row * sampling.from + source] = 1);
  return matrix;
}

function linearMatrix(sampling: Sampling): Float32Array {
  const { from, to, halfPixelCenters } = sampling;
  const matrix = new Float32Array(to * from);
  sourcePositions(sampling).forEach((position, row) => {
    const source = halfPixelCenters ? position - 0.5 : position;
    const low = Math.max(0, Math.floor(source));
    const high = Math.min(from - 1, Math.ceil(source));
    const fraction = low === high ? 0 : source - low;
    matrix[row * from + low] += 1 - fraction;
    matrix[row * from + high] += fraction;
  });
  return matrix;
}

/** Multiplies rows and columns of each image with matrices `[outHeight, height]`, `[width, outWidth]`. */
function multiplySides(
  lowering: Lowering,
  x: Lowered,
  rows: { data: Float32Array; dims: number[] },
  columns: { data: Float32Array; dims: number[] },
  shape: readonly number[],
): Lowered {
  const { builder } = lowering;
  const left = builder.constant(rows.data, rows.dims, "float32", "rows");
  const right = builder.constant(columns.data, columns.dims, "float32", "columns");
  const [batch, height, , channels] = x.shape;
  const wide = lowering.made(
    builder.emit("MatMul", [lowering.name(x), right]),
    [batch, height, shape[2], channels],
    NCHW,
  );
  return lowering.made(builder.emit("MatMul", [left, lowering.name(wide)]), shape, NCHW);
}

function transposed(matrix: Float32Array, rows: number): Float32Array {
  const columns = matrix.length / rows;
  return matrix.map((_, index) => matrix[(index % rows) * columns + Math.floor(index / rows)]);
}

function isWholeFactor({ from, to }: Sampling): boolean {
  return to % from === 0;
}

function resizeOp(
  lowering: Lowering,
  x: Lowered,
  shape: readonly number[],
  attributes: Record<string, string>,
): Lowered {
  const scales = Float32Array.of(1, 1, shape[1] / x.shape[1], shape[2] / x.shape[2]);
  const name = lowering.builder.emit("Resize", [
    lowering.name(x),
    "",
    lowering.builder.constant(scales, [4], "float32", "scales"),
  ], attributes);
  return lowering.made(name, shape, NCHW);
}

const resizeNearest: LoweringRule = (lowering, node) => {
  const x = asNCHW(lowering, lowering.input(node, "images"));
  const { shape } = node.outputs[0];
  const [rows, columns] = samplings(node, x.shape, shape);
  if (!rows.alignCorners && isWholeFactor(rows) && isWholeFactor(columns)) {
    return resizeOp(lowering, x, shape, {
      mode: "nearest",
      coordinate_transformation_mode: "asymmetric",
      nearest_mode: "floor",
    });
  }
  const { builder } = lowering;
  const indices = (sampling: Sampling) => builder.integers(nearestIndices(sampling));
  const [batch, , width, channels] = x.shape;
  const tall = lowering.made(
    builder.emit("Gather", [lowering.name(x), indices(rows)], { axis: 2 }),
    [batch, shape[1], width, channels],
    NCHW,
  );
  const name = builder.emit("Gather", [lowering.name(tall), indices(columns)], { axis: 3 });
  return lowering.made(name, shape, NCHW);
};

const resizeBilinear: LoweringRule = (lowering, node) => {
  const x = asNCHW(lowering, lowering.input(node, "images"));
  const { shape } = node.outputs[0];
  const [rows, columns] = samplings(node, x.shape, shape);
  if (!rows.alignCorners && isWholeFactor(rows) && isWholeFactor(columns)) {
    return resizeOp(lowering, x, shape, {
      mode: "linear",
      coordinate_transformation_mode: rows.halfPixelCenters ? "half_pixel" : "asymmetric",
    });
  }
  return multiplySides(
    lowering,
    x,
    { data: linearMatrix(rows), dims: [rows.to, rows.from] },
    { data: transposed(linearMatrix(columns), columns.to), dims: [columns.from, columns.to] },
    shape,
  );
};

/** The adjoint of a resize: products with the transposed matrices. */
function resizeGradient(matrixOf: (sampling: Sampling) => Float32Array): LoweringRule {
  return (lowering, node) => {
    const dy = asNCHW(lowering, lowering.input(node, "dy"));
    const { shape } = node.outputs[0];
    const [rows, columns] = samplings(node, shape, dy.shape);
    return multiplySides(
      lowering,
      dy,
      { data: transposed(matrixOf(rows), rows.to), dims: [rows.from, rows.to] },
      { data: matrixOf(columns), dims: [columns.to, columns.from] },
      shape,
    );
  };
}

/** Adds up what each pixel was copied to; for whole factors, a mean over blocks times their size. */
const resizeNearestGradient: LoweringRule = (lowering, node) => {
  const dy = lowering.input(node, "dy");
  const { shape } = node.outputs[0];
  const [rows, columns] = samplings(node, shape, dy.shape);
  if (rows.alignCorners || !isWholeFactor(rows) || !isWholeFactor(columns)) {
    return resizeGradient(nearestMatrix)(lowering, node);
  }
  const block = [rows.to / rows.from, columns.to / columns.from];
  const name = lowering.builder.emit("AveragePool", [lowering.name(asNCHW(lowering, dy))], {
    kernel_shape: block,
    strides: block,
    pads: [0, 0, 0, 0],
  });
  return multiply(
    lowering,
    lowering.made(name, shape, NCHW),
    constantFill(block[0] * block[1], []),
  );
};

const depthToSpace: LoweringRule = (lowering, node) => {
  const x = asNCHW(lowering, lowering.input(node, "x"));
  const name = lowering.builder.emit("DepthToSpace", [lowering.name(x)], {
    blocksize: numberAttribute(node.attributes, "blockSize"),
    // TensorFlow.js' own order of channels, or the one that a pass of the exporter asks for.
    mode: textAttribute(node.attributes, "mode") ?? "DCR",
  });
  return lowering.made(name, node.outputs[0].shape, NCHW);
};

/** `(x - mean) / sqrt(variance + epsilon) * scale + offset` with given statistics. */
const batchNorm: LoweringRule = (lowering, node) => {
  const epsilon = constantFill(numberAttribute(node.attributes, "varianceEpsilon"), []);
  const variance = add(lowering, lowering.input(node, "variance"), epsilon);
  const deviation = lowering.unary("Sqrt", variance);
  const centered = subtract(lowering, lowering.input(node, "x"), lowering.input(node, "mean"));
  let result = lowering.elementwise("Div", [centered, deviation]);
  if (node.inputs.scale) result = multiply(lowering, result, lowering.input(node, "scale"));
  if (node.inputs.offset) result = add(lowering, result, lowering.input(node, "offset"));
  return result;
};

/** `x / (bias + alpha sum)^beta` over neighboring channels; ONNX divides alpha by their number. */
const localResponseNorm: LoweringRule = (lowering, node) => {
  const x = asNCHW(lowering, lowering.input(node, "x"));
  const size = 2 * numberAttribute(node.attributes, "depthRadius") + 1;
  const name = lowering.builder.emit("LRN", [lowering.name(x)], {
    size,
    alpha: { float: numberAttribute(node.attributes, "alpha") * size },
    beta: { float: numberAttribute(node.attributes, "beta") },
    bias: { float: numberAttribute(node.attributes, "bias") },
  });
  return lowering.made(name, x.shape, NCHW);
};

/** The rules by kernel name. */
export const imageRules: Record<string, LoweringRule> = {
  DepthToSpace: depthToSpace,
  FusedBatchNorm: batchNorm,
  LRN: localResponseNorm,
  ResizeBilinear: resizeBilinear,
  ResizeBilinearGrad: resizeGradient(linearMatrix),
  ResizeNearestNeighbor: resizeNearest,
  ResizeNearestNeighborGrad: resizeNearestGradient,
};
