/** Rules for kernels that compute each element by itself. */
import { numberAttribute, textAttribute } from "../trace/attributes.ts";
import type { KernelNode, KernelType } from "../trace/kernel_graph.ts";
import { broadcastShapes } from "../trace/shape_rule.ts";
import { constantFill, type Lowered, type Lowering, type LoweringRule } from "./lowering.ts";

/** Kernels of one input that ONNX has under a name of its own, with the same meaning. */
const SAME_UNARY: Record<string, string> = {
  ...Object.fromEntries(
    [
      "Abs Acos Acosh Asin Asinh Atan Atanh Ceil Cos Cosh Elu Erf Exp Floor Log Neg Reciprocal Relu",
      "Round Selu Sigmoid Sign Sin Sinh Softplus Sqrt Tan Tanh",
    ].join(" ").split(" ").map((name) => [name, name]),
  ),
  LogicalNot: "Not",
  IsNan: "IsNaN",
};

const SAME_BINARY: Record<string, string> = { Maximum: "Max", Minimum: "Min", Pow: "Pow" };

const PREDICATES: Record<string, string> = {
  Equal: "Equal",
  Greater: "Greater",
  GreaterEqual: "GreaterOrEqual",
  Less: "Less",
  LessEqual: "LessOrEqual",
  LogicalAnd: "And",
  LogicalOr: "Or",
};

/** Sums; adding 0 is free. */
export function add(lowering: Lowering, a: Lowered, b: Lowered): Lowered {
  if (b.fill === 0) return widened(lowering, a, b);
  if (a.fill === 0) return widened(lowering, b, a);
  return lowering.elementwise("Add", [a, b]);
}

/** Differences; subtracting 0 is free. */
export function subtract(lowering: Lowering, a: Lowered, b: Lowered): Lowered {
  return b.fill === 0 ? widened(lowering, a, b) : lowering.elementwise("Sub", [a, b]);
}

/** Products; multiplying by 1 is free. */
export function multiply(lowering: Lowering, a: Lowered, b: Lowered): Lowered {
  if (b.fill === 1) return widened(lowering, a, b);
  if (a.fill === 1) return widened(lowering, b, a);
  return lowering.elementwise("Mul", [a, b]);
}

/** Quotients; dividing by a number is multiplying by its reciprocal. */
function divide(lowering: Lowering, a: Lowered, b: Lowered): Lowered {
  if (b.fill === undefined || b.dtype !== "float32") return lowering.elementwise("Div", [a, b]);
  return multiply(lowering, a, { ...b, fill: Math.fround(1 / b.fill) });
}

/** `x` with the shape that it has after broadcasting with `other`; nothing is expanded. */
function widened(lowering: Lowering, x: Lowered, other: Lowered): Lowered {
  const shape = broadcastShapes(x.shape, other.shape);
  return { ...lowering.lifted(x, shape.length), shape };
}

/** Steeper than any float32 number that is not denormal is small. */
const STEEP = 3e38;

/** 1 where `x` is positive and 0 elsewhere: what relu's gradient multiplies by. */
function positiveMask(lowering: Lowering, x: Lowered): Lowered {
  if (lowering.contrib) {
    // clamp(STEEP x, 0, 1) in one operation, the fastest that ONNX Runtime has for this.
    return lowering.unary("HardSigmoid", x, { alpha: { float: STEEP }, beta: { float: 0 } });
  }
  const positive = lowering.elementwise("Greater", [x, constantFill(0, [])], "bool");
  return lowering.cast(positive, "float32");
}

const step: LoweringRule = (lowering, node) => {
  const x = lowering.input(node, "x");
  const alpha = numberAttribute(node.attributes, "alpha", 0);
  if (alpha === 0) return positiveMask(lowering, x);
  if (lowering.contrib && alpha > 0 && alpha < 1) {
    return clip(lowering, multiply(lowering, x, constantFill(STEEP, [])), alpha, 1);
  }
  const scaled = multiply(lowering, positiveMask(lowering, x), constantFill(1 - alpha, []));
  return add(lowering, scaled, constantFill(alpha, []));
};

function clip(lowering: Lowering, x: Lowered, lowest: number, highest: number): Lowered {
  const { builder } = lowering;
  const name = builder.emit("Clip", [
    lowering.name(x),
    builder.float(lowest),
    builder.float(highest),
  ]);
  const { shape, stored, order, dtype } = x;
  return lowering.described({ shape, stored, order, dtype, name });
}

/** Of magnitudes; ONNX' own IsInf takes no float16 before opset 20. */
function comparedWithInfinity(op: "Less" | "Equal"): LoweringRule {
  return (lowering, node) => {
    const magnitude = lowering.unary("Abs", lowering.input(node, "x"));
    return lowering.elementwise(op, [magnitude, constantFill(Infinity, [])], "bool");
  };
}

/** `a - floor(a / b) b`, with the sign of b as in TensorFlow.js. */
const modulo: LoweringRule = (lowering, node) => {
  const a = lowering.cast(lowering.input(node, "a"), "float32");
  const b = lowering.cast(lowering.input(node, "b"), "float32");
  const quotient = lowering.unary("Floor", lowering.elementwise("Div", [a, b]));
  const result = lowering.elementwise("Sub", [a, lowering.elementwise("Mul", [quotient, b])]);
  return lowering.cast(result, node.outputs[0].dtype);
};

const floorDivide: LoweringRule = (lowering, node) => {
  const a = lowering.cast(lowering.input(node, "a"), "float32");
  const b = lowering.cast(lowering.input(node, "b"), "float32");
  const quotient = lowering.unary("Floor", lowering.elementwise("Div", [a, b]));
  return lowering.cast(quotient, node.outputs[0].dtype);
};

/** The angle of the point (b, a): the arc tangent of a / b and the quadrant. Zeros have no sign here. */
const arcTangent2: LoweringRule = (lowering, node) => {
  const a = lowering.cast(lowering.input(node, "a"), "float32");
  const b = lowering.cast(lowering.input(node, "b"), "float32");
  const zero = constantFill(0, []);
  const is = (op: string, x: Lowered) => lowering.elementwise(op, [x, zero], "bool");
  const where = (...operands: Lowered[]) => lowering.elementwise("Where", operands, "float32");
  const angle = lowering.unary("Atan", lowering.elementwise("Div", [a, b]));
  const halfTurn = where(is("Less", a), constantFill(-Math.PI, []), constantFill(Math.PI, []));
  const turned = add(lowering, angle, where(is("Less", b), halfTurn, zero));
  const atOrigin = lowering.elementwise("And", [is("Equal", a), is("Equal", b)], "bool");
  return lowering.cast(where(atOrigin, zero, turned), node.outputs[0].dtype);
};

/** An activation that TensorFlow.js fused into a product or a convolution. */
export function activate(lowering: Lowering, node: KernelNode, x: Lowered): Lowered {
  const name = textAttribute(node.attributes, "activation") ?? "linear";
  switch (name) {
    case "linear":
      return x;
    case "relu":
    case "elu":
    case "sigmoid":
    case "tanh":
      return lowering.unary(name[0].toUpperCase() + name.slice(1), x);
    case "relu6":
      return clip(lowering, x, 0, 6);
    case "leakyrelu": {
      const alpha = numberAttribute(node.attributes, "leakyreluAlpha", 0.2);
      return lowering.unary("LeakyRelu", x, { alpha: { float: alpha } });
    }
    case "prelu":
      return lowering.elementwise("PRelu", [x, lowering.input(node, "preluActivationWeights")]);
  }
  throw new RangeError(`Cannot write the fused activation ${name} as ONNX`);
}

function binary(rule: (lowering: Lowering, a: Lowered, b: Lowered) => Lowered): LoweringRule {
  return (lowering, node) => rule(lowering, lowering.input(node, "a"), lowering.input(node, "b"));
}

function square(lowering: Lowering, x: Lowered): Lowered {
  return lowering.elementwise("Mul", [x, x]);
}

/** The rules by kernel name. */
export const elementwiseRules: Record<string, LoweringRule> = {
  ...Object.fromEntries(
    Object.entries(SAME_UNARY).map(([kernel, op]): [string, LoweringRule] => [
      kernel,
      (lowering, node) =>
        lowering.unary(op, lowering.input(node, "x"), undefined, node.outputs[0].dtype),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(SAME_BINARY).map(([kernel, op]) => [
      kernel,
      binary((lowering, a, b) => lowering.elementwise(op, [a, b])),
    ]),
  ),
  ...Object.fromEntries(
    Object.entries(PREDICATES).map(([kernel, op]) => [
      kernel,
      binary((lowering, a, b) => lowering.elementwise(op, [a, b], "bool")),
    ]),
  ),
  Add: binary(add),
  AddN: (lowering, node) =>
    Object.values(node.inputs).map((value) => lowering.value(value))
      .reduce((sum, term) => add(lowering, sum, term)),
  Atan2: arcTangent2,
  Cast: (lowering, node) =>
    lowering.cast(
      lowering.input(node, "x"),
      textAttribute(node.attributes, "dtype") as KernelType,
    ),
  ClipByValue: (lowering, node) =>
    clip(
      lowering,
      lowering.input(node, "x"),
      numberAttribute(node.attributes, "clipValueMin"),
      numberAttribute(node.attributes, "clipValueMax"),
    ),
  EluGrad: (lowering, node) => {
    const below = lowering.elementwise("Min", [lowering.input(node, "y"), constantFill(0, [])]);
    const derivative = add(lowering, below, constantFill(1, []));
    return multiply(lowering, lowering.input(node, "dy"), derivative);
  },
  Expm1: (lowering, node) =>
    subtract(lowering, lowering.unary("Exp", lowering.input(node, "x")), constantFill(1, [])),
  FloorDiv: floorDivide,
  IsFinite: comparedWithInfinity("Less"),
  IsInf: comparedWithInfinity("Equal"),
  LeakyRelu: (lowering, node) =>
    lowering.unary("LeakyRelu", lowering.input(node, "x"), {
      alpha: { float: numberAttribute(node.attributes, "alpha") },
    }),
  Log1p: (lowering, node) =>
    lowering.unary("Log", add(lowering, lowering.input(node, "x"), constantFill(1, []))),
  Mod: modulo,
  Multiply: binary(multiply),
  NotEqual: binary((lowering, a, b) =>
    lowering.unary("Not", lowering.elementwise("Equal", [a, b], "bool"))
  ),
  Prelu: (lowering, node) =>
    lowering.elementwise("PRelu", [lowering.input(node, "x"), lowering.input(node, "alpha")]),
  RealDiv: binary(divide),
  Relu6: (lowering, node) => clip(lowering, lowering.input(node, "x"), 0, 6),
  Rsqrt: (lowering, node) =>
    lowering.unary("Reciprocal", lowering.unary("Sqrt", lowering.input(node, "x"))),
  Select: (lowering, node) =>
    lowering.elementwise(
      "Where",
      [lowering.input(node, "condition"), lowering.input(node, "t"), lowering.input(node, "e")],
      node.outputs[0].dtype,
    ),
  Square: (lowering, node) => square(lowering, lowering.input(node, "x")),
  SquaredDifference: binary((lowering, a, b) => square(lowering, subtract(lowering, a, b))),
  Step: step,
  Sub: binary(subtract),
};
