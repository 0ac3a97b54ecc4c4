/** Rules for kernels that rename, repeat, join and split axes. */
import { ALL_REDUCE } from "../../tensor/all_reduce.ts";
import { numberAttribute, numbersAttribute } from "../trace/attributes.ts";
import { resolveAxes, resolveAxis } from "../trace/shape_rule.ts";
import { splitSizes } from "../trace/shape_rules_array.ts";
import { arrange, permuteData, range } from "./layout.ts";
import { commonOrder, type Lowered, type Lowering, type LoweringRule } from "./lowering.ts";

/** Reshapes to the output's shape. */
function reshape(inputName: string): LoweringRule {
  return (lowering, node) =>
    lowering.reshaped(lowering.input(node, inputName), node.outputs[0].shape);
}

/** The tensor with its axes relabeled: elements stay where they are. */
export function relabeled(x: Lowered, perm: readonly number[]): Lowered {
  const shape = arrange(x.shape, perm);
  const stored = arrange(x.stored, perm);
  if (x.data !== undefined) {
    return {
      ...x,
      shape,
      stored,
      order: range(perm.length),
      data: permuteData(x.data, x.stored, perm),
    };
  }
  return { ...x, shape, stored, order: x.order.map((axis) => perm.indexOf(axis)) };
}

/** Repeats along axes. Where the tensor is constant along an axis nothing needs to be done yet. */
function repeat(lowering: Lowering, x: Lowered, reps: readonly number[]): Lowered {
  const shape = x.shape.map((dim, axis) => dim * reps[axis]);
  const copies = reps.map((count, axis) => x.stored[axis] === 1 ? 1 : count);
  if (copies.every((count) => count === 1)) return { ...x, shape };
  const name = lowering.builder.emit("Tile", [
    lowering.name(x),
    lowering.builder.integers(arrange(copies, x.order)),
  ]);
  const stored = x.stored.map((dim, axis) => dim * copies[axis]);
  return { shape, stored, order: x.order, dtype: x.dtype, name };
}

/** Joins tensors along a logical axis, in the layout of the first that has one. */
function concatenate(lowering: Lowering, inputs: readonly Lowered[], axis: number): Lowered {
  const parts = inputs.map((x) => lowering.expanded(x));
  const order = commonOrder(parts);
  const names = parts.map((x) => lowering.name(lowering.arranged(x, order)));
  const name = lowering.builder.emit("Concat", names, { axis: order.indexOf(axis) });
  const length = parts.reduce((sum, { shape }) => sum + shape[axis], 0);
  const shape = parts[0].shape.map((dim, index) => index === axis ? length : dim);
  return lowering.made(name, shape, order, parts[0].dtype);
}

const concat: LoweringRule = (lowering, node) => {
  const parts = Object.values(node.inputs).map((value) => lowering.value(value));
  const axis = resolveAxes(node.attributes.axis, node.outputs[0].shape)[0];
  return parts.length === 1 ? parts[0] : concatenate(lowering, parts, axis);
};

const pack: LoweringRule = (lowering, node) => {
  const { shape } = node.outputs[0];
  const axis = resolveAxis(numberAttribute(node.attributes, "axis", 0), shape.length);
  const single = shape.map((dim, index) => index === axis ? 1 : dim);
  const parts = Object.values(node.inputs).map((value) =>
    lowering.reshaped(lowering.value(value), single)
  );
  return parts.length === 1 ? parts[0] : concatenate(lowering, parts, axis);
};

function split(lowering: Lowering, input: Lowered, axis: number, sizes: number[]): Lowered[] {
  const x = lowering.expanded(input);
  if (sizes.length === 1) return [x];
  const names = lowering.builder.emitAll(
    "Split",
    [lowering.name(x), lowering.builder.integers(sizes)],
    { axis: x.order.indexOf(axis) },
    { outputs: sizes.length },
  );
  return names.map((name, part) => {
    const shape = x.shape.map((dim, index) => index === axis ? sizes[part] : dim);
    return lowering.made(name, shape, x.order, x.dtype);
  });
}

const splitV: LoweringRule = (lowering, node) => {
  const { axis, sizes } = splitSizes(node.inputs.x, node.attributes);
  return split(lowering, lowering.input(node, "x"), axis, sizes);
};

const unpack: LoweringRule = (lowering, node) => {
  const value = lowering.input(node, "value");
  const axis = resolveAxis(numberAttribute(node.attributes, "axis", 0), value.shape.length);
  const sizes = Array<number>(value.shape[axis]).fill(1);
  return split(lowering, value, axis, sizes)
    .map((part) => lowering.reshaped(part, node.outputs[0].shape));
};

/** The rules by kernel name. */
export const axisRules: Record<string, LoweringRule> = {
  Concat: concat,
  ExpandDims: reshape("input"),
  Pack: pack,
  Reshape: reshape("x"),
  SplitV: splitV,
  Tile: (lowering, node) =>
    repeat(lowering, lowering.input(node, "x"), numbersAttribute(node.attributes, "reps")),
  Transpose: (lowering, node) =>
    relabeled(lowering.input(node, "x"), numbersAttribute(node.attributes, "perm")),
  Unpack: unpack,
  // Where a whole step is lowered to learn its layouts; the models are cut at these kernels.
  [ALL_REDUCE]: reshape("x"),
};
