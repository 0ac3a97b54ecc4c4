/** Rules for kernels that combine the elements along axes: sums, means, softmax, positions of maxima. */
import { elementCount } from "../../bytes.ts";
import { flagAttribute, numberAttribute } from "../trace/attributes.ts";
import type { KernelNode } from "../trace/kernel_graph.ts";
import { resolveAxes, resolveAxis } from "../trace/shape_rule.ts";
import { multiply } from "./elementwise.ts";
import { arrange } from "./layout.ts";
import { constantFill, type Lowered, type Lowering, type LoweringRule } from "./lowering.ts";
import { pad, slice } from "./selection.ts";

/** ONNX operators that combine elements, with what a tensor that is constant along an axis gives. */
type ReduceOp = "ReduceSum" | "ReduceMean" | "ReduceMax" | "ReduceMin" | "ReduceProd";

/** Combines along logical axes; the axes stay, with length 1. */
function reduce(
  lowering: Lowering,
  op: ReduceOp,
  input: Lowered,
  axes: readonly number[],
): Lowered {
  const { builder, opset } = lowering;
  const constantAxes = axes.filter((axis) => input.stored[axis] === 1 && input.shape[axis] !== 1);
  const repeats = constantAxes.map((axis) => input.shape[axis]);
  const mustExpand = op === "ReduceProd" || (op === "ReduceSum" && lowering.isOpen(repeats));
  const x = mustExpand && repeats.length > 0 ? lowering.expanded(input) : input;

  const longAxes = axes.filter((axis) => x.stored[axis] !== 1);
  const reducedShape = x.shape.map((dim, axis) => axes.includes(axis) ? 1 : dim);
  const stored = x.stored.map((dim, axis) => axes.includes(axis) ? 1 : dim);
  let result: Lowered = { ...x, shape: reducedShape, stored };
  if (longAxes.length > 0) {
    const physical = longAxes.map((axis) => x.order.indexOf(axis)).sort((a, b) => a - b);
    const axesAsInput = op === "ReduceSum" || opset >= 18;
    const name = axesAsInput
      ? builder.emit(op, [lowering.name(x), builder.integers(physical)], { keepdims: 1 })
      : builder.emit(op, [lowering.name(x)], { axes: physical, keepdims: 1 });
    result = lowering.described({
      shape: reducedShape,
      stored,
      order: x.order,
      dtype: x.dtype,
      name,
    });
  }
  if (op !== "ReduceSum" || mustExpand || repeats.length === 0) return result;
  const factor = elementCount(repeats);
  return multiply(lowering, result, constantFill(factor, [], x.dtype));
}

/** Leaves out axes of length 1. */
function squeeze(lowering: Lowering, x: Lowered, axes: readonly number[]): Lowered {
  const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const squeezed = {
    ...x,
    shape: kept.map((axis) => x.shape[axis]),
    stored: kept.map((axis) => x.stored[axis]),
    order: x.order.filter((axis) => !axes.includes(axis)).map((axis) => kept.indexOf(axis)),
  };
  if (x.name === undefined) return squeezed;
  const name = lowering.builder.reshape(x.name, lowering.dims(x), lowering.dims(squeezed));
  return { ...squeezed, name };
}

function reduceBy(
  lowering: Lowering,
  node: KernelNode,
  op: ReduceOp,
  x: Lowered,
  axisName: string,
): Lowered {
  const axes = resolveAxes(node.attributes[axisName], x.shape);
  const reduced = reduce(lowering, op, x, axes);
  return flagAttribute(node.attributes, "keepDims") ? reduced : squeeze(lowering, reduced, axes);
}

function reduction(op: ReduceOp, axisName = "axis"): LoweringRule {
  return (lowering, node) => {
    const x = lowering.cast(lowering.input(node, "x"), node.outputs[0].dtype);
    return reduceBy(lowering, node, op, x, axisName);
  };
}

/** Truth values are combined as whole numbers. */
function predicate(op: "ReduceMax" | "ReduceMin"): LoweringRule {
  return (lowering, node) => {
    const numbers = lowering.cast(lowering.input(node, "x"), "int32");
    return lowering.cast(reduceBy(lowering, node, op, numbers, "axis"), "bool");
  };
}

function position(op: "ArgMax" | "ArgMin"): LoweringRule {
  return (lowering, node) => {
    const x = lowering.expanded(lowering.input(node, "x"));
    const axis = resolveAxis(numberAttribute(node.attributes, "axis", 0), x.shape.length);
    const name = lowering.builder.emit(op, [lowering.name(x)], {
      axis: x.order.indexOf(axis),
      keepdims: 1,
    });
    const shape = x.shape.map((dim, index) => index === axis ? 1 : dim);
    lowering.builder.describe(name, "int64", arrange(shape, x.order));
    const narrowed = lowering.builder.emit("Cast", [name], { to: 6 }); // int64 to int32
    return squeeze(lowering, lowering.made(narrowed, shape, x.order, "int32"), [axis]);
  };
}

const softmax: LoweringRule = (lowering, node) => {
  const x = lowering.expanded(lowering.input(node, "logits"));
  const axis = resolveAxis(numberAttribute(node.attributes, "dim", -1), x.shape.length);
  return lowering.unary("Softmax", x, { axis: x.order.indexOf(axis) });
};

const cumulativeSum: LoweringRule = (lowering, node) => {
  const x = lowering.expanded(lowering.input(node, "x"));
  const axis = resolveAxis(numberAttribute(node.attributes, "axis", 0), x.shape.length);
  const axisName = lowering.builder.constant(
    BigInt64Array.of(BigInt(x.order.indexOf(axis))),
    [],
    "int64",
    "axis",
  );
  const name = lowering.builder.emit("CumSum", [lowering.name(x), axisName], {
    exclusive: Number(flagAttribute(node.attributes, "exclusive")),
    reverse: Number(flagAttribute(node.attributes, "reverse")),
  });
  return lowering.made(name, x.shape, x.order, x.dtype);
};

/**
 * ONNX has no running product: step k multiplies each element with the one 2^k places before it, so that
 * log2(length) products reach from end to end (Hillis and Steele, "Data Parallel Algorithms", 1986).
 */
const cumulativeProduct: LoweringRule = (lowering, node) => {
  let x = lowering.expanded(lowering.input(node, "x"));
  const axis = resolveAxis(numberAttribute(node.attributes, "axis", 0), x.shape.length);
  const length = x.shape[axis];
  const isReverse = flagAttribute(node.attributes, "reverse");
  const moved = (distance: number): Lowered => {
    const count = Math.max(0, length - distance);
    const begin = isReverse ? length - count : 0;
    const shape = x.shape.map((dim, index) => index === axis ? count : dim);
    const kept = slice(lowering, x, [{ axis, begin, end: begin + count, step: 1 }], shape);
    const gap = length - count;
    const paddings = x.shape.map((_, index): [number, number] =>
      index !== axis ? [0, 0] : isReverse ? [0, gap] : [gap, 0]
    );
    return pad(lowering, kept, paddings, { constant: 1 });
  };
  if (flagAttribute(node.attributes, "exclusive")) x = moved(1);
  for (let distance = 1; distance < length; distance *= 2) {
    x = lowering.elementwise("Mul", [x, moved(distance)]);
  }
  return x;
};

/** The rules by kernel name. */
export const reduceRules: Record<string, LoweringRule> = {
  All: predicate("ReduceMin"),
  Any: predicate("ReduceMax"),
  ArgMax: position("ArgMax"),
  ArgMin: position("ArgMin"),
  Cumprod: cumulativeProduct,
  Cumsum: cumulativeSum,
  Max: reduction("ReduceMax", "reductionIndices"),
  Mean: reduction("ReduceMean"),
  Min: reduction("ReduceMin"),
  Prod: reduction("ReduceProd"),
  Softmax: softmax,
  Sum: reduction("ReduceSum"),
};
