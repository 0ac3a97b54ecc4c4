/** Shapes of arithmetic: elementwise kernels, reductions, products of matrices. */
import { tf } from "../../tensor/tf.ts";
import { flagAttribute, numberAttribute, textAttribute } from "./attributes.ts";
import type { KernelType } from "./kernel_graph.ts";
import { broadcastShapes, resolveAxes, resolveAxis, type ShapeRule } from "./shape_rule.ts";

const UNARY = [
  "Abs Acos Acosh Asin Asinh Atan Atanh Ceil ClipByValue Cos Cosh Elu Erf Exp Expm1 Floor LeakyRelu",
  "Log Log1p Neg Reciprocal Relu Relu6 Round Rsqrt Selu Sigmoid Sign Sin Sinh Softplus Sqrt Square",
  "Step Tan Tanh Cumprod Cumsum",
].join(" ").split(" ");

const BINARY = [
  "Add Atan2 FloorDiv Maximum Minimum Mod Multiply Pow RealDiv SquaredDifference Sub",
].join(" ").split(" ");

const PREDICATES = [
  "Equal Greater GreaterEqual Less LessEqual LogicalAnd LogicalOr NotEqual",
].join(" ").split(" ");

const same: ShapeRule = (inputs) => [{ shape: Object.values(inputs)[0].shape }];
const sameBool: ShapeRule = ({ x }) => [{ shape: x.shape, dtype: "bool" }];
const broadcast: ShapeRule = ({ a, b }) => [{ shape: broadcastShapes(a.shape, b.shape) }];
const compare: ShapeRule = ({ a, b }) => [{
  shape: broadcastShapes(a.shape, b.shape),
  dtype: "bool",
}];

/** Kernels that give one number for all elements along some axes. */
function reduction(axisName: string, dtype?: KernelType): ShapeRule {
  return ({ x }, attributes) => {
    const axes = resolveAxes(attributes[axisName], x.shape);
    const keep = flagAttribute(attributes, "keepDims");
    const shape = keep
      ? x.shape.map((dim, axis) => axes.includes(axis) ? 1 : dim)
      : x.shape.filter((_, axis) => !axes.includes(axis));
    return [{ shape, dtype }];
  };
}

/** Kernels that give the position of the largest or smallest element along one axis. */
const position: ShapeRule = ({ x }, attributes) => {
  const axis = resolveAxis(numberAttribute(attributes, "axis", 0), x.shape.length);
  return [{ shape: x.shape.filter((_, index) => index !== axis), dtype: "int32" }];
};

const matMul: ShapeRule = ({ a, b }, attributes) => {
  const [aRows, aColumns] = a.shape.slice(-2);
  const [bRows, bColumns] = b.shape.slice(-2);
  const rows = flagAttribute(attributes, "transposeA") ? aColumns : aRows;
  const columns = flagAttribute(attributes, "transposeB") ? bRows : bColumns;
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return [{ shape: [...batch, rows, columns] }];
};

const einsum: ShapeRule = (inputs, attributes) => {
  const tensors = Object.values(inputs);
  const equation = textAttribute(attributes, "equation")!;
  const { idDims } = tf.backend_util.decodeEinsumEquation(equation, tensors.length);
  const outputRank = equation.replace(/.*->/, "").replace(/\s/g, "").length;
  const shape: number[] = [];
  idDims.forEach((dims, tensor) =>
    dims.forEach((dim, axis) => {
      if (dim < outputRank) shape[dim] = tensors[tensor].shape[axis];
    })
  );
  return [{ shape }];
};

/** The rules by kernel name. */
export const arithmeticShapeRules: Record<string, ShapeRule> = {
  ...Object.fromEntries(UNARY.map((kernel) => [kernel, same])),
  ...Object.fromEntries(BINARY.map((kernel) => [kernel, broadcast])),
  ...Object.fromEntries(PREDICATES.map((kernel) => [kernel, compare])),
  AddN: same,
  All: reduction("axis"),
  Any: reduction("axis"),
  ArgMax: position,
  ArgMin: position,
  BatchMatMul: matMul,
  Cast: ({ x }, attributes) => [{
    shape: x.shape,
    dtype: textAttribute(attributes, "dtype") as KernelType,
  }],
  Einsum: einsum,
  EluGrad: ({ dy }) => [{ shape: dy.shape }],
  IsFinite: sameBool,
  IsInf: sameBool,
  IsNan: sameBool,
  LogicalNot: sameBool,
  Max: reduction("reductionIndices"),
  Mean: reduction("axis", "float32"),
  Min: reduction("axis"),
  Prelu: ({ x }) => [{ shape: x.shape }],
  Prod: reduction("axis"),
  Select: ({ condition, t, e }) => [{
    shape: broadcastShapes(broadcastShapes(condition.shape, t.shape), e.shape),
    dtype: t.dtype,
  }],
  Softmax: ({ logits }) => [{ shape: logits.shape, dtype: "float32" }],
  Sum: reduction("axis"),
  _FusedMatMul: matMul,
};
