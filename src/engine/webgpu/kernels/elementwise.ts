/** TensorFlow.js's elementwise operations on float32 (and comparisons), by elementwise.ts. */
import type { DrawRows } from "../../../random/draw_rows.ts";
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../../tensor/tf.ts";
import type { GanforgeWebGpuBackend } from "../backend.ts";
import { broadcastTerms, type ElementwiseNode } from "../expression.ts";
import type { ElementwiseOpName } from "../elementwise_ops.ts";
import { type KernelCall, replaceKernel } from "./registry.ts";

const UNARY: Record<string, ElementwiseOpName> = {
  Neg: "neg",
  Abs: "abs",
  Square: "square",
  Sqrt: "sqrt",
  Rsqrt: "rsqrt",
  Reciprocal: "reciprocal",
  Exp: "exp",
  Expm1: "expm1",
  Log: "log",
  Floor: "floor",
  Sign: "sign",
  Tanh: "tanh",
  Sigmoid: "sigmoid",
  Softplus: "softplus",
  Relu: "relu",
  Relu6: "relu6",
  Elu: "elu",
  Selu: "selu",
};

const BINARY: Record<string, ElementwiseOpName> = {
  Add: "add",
  Sub: "sub",
  Multiply: "mul",
  RealDiv: "div",
  Maximum: "maximum",
  Minimum: "minimum",
  Pow: "pow",
  SquaredDifference: "squaredDifference",
};

const COMPARISON: Record<string, ElementwiseOpName> = {
  Greater: "greater",
  GreaterEqual: "greaterEqual",
  Less: "less",
  LessEqual: "lessEqual",
  Equal: "equal",
  NotEqual: "notEqual",
};

const LOGICAL: Record<string, ElementwiseOpName> = {
  LogicalAnd: "logicalAnd",
  LogicalOr: "logicalOr",
};

/** Registers them for the backend "webgpu". */
export function registerElementwiseKernels(): void {
  for (const [kernel, op] of Object.entries(UNARY)) {
    replaceKernel(kernel, ({ inputs: { x }, backend }) => applyUnary(backend, op, x));
  }
  for (const [kernel, op] of Object.entries(BINARY)) {
    replaceKernel(kernel, ({ inputs: { a, b }, backend }) => {
      if (a.dtype !== "float32" || b.dtype !== "float32") return undefined;
      return apply(backend, op, [a, b], broadcastShape(a, b), "float32");
    });
  }
  for (const [kernel, op] of Object.entries(COMPARISON)) {
    replaceKernel(kernel, ({ inputs: { a, b }, backend }) => {
      if (a.dtype !== b.dtype || !isPlain(a)) return undefined;
      return apply(backend, op, [a, b], broadcastShape(a, b), "bool");
    });
  }
  for (const [kernel, op] of Object.entries(LOGICAL)) {
    replaceKernel(kernel, ({ inputs: { a, b }, backend }) => {
      if (a.dtype !== "bool" || b.dtype !== "bool") return undefined;
      return apply(backend, op, [a, b], broadcastShape(a, b), "bool");
    });
  }
  replaceKernel(
    "LogicalNot",
    ({ inputs: { x }, backend }) =>
      x.dtype === "bool" ? apply(backend, "logicalNot", [x], x.shape, "bool") : undefined,
  );
  replaceKernel(
    "Step",
    ({ inputs: { x }, attrs, backend }) =>
      applyUnary(backend, "step", x, [attrs.alpha as number ?? 0]),
  );
  replaceKernel(
    "LeakyRelu",
    ({ inputs: { x }, attrs, backend }) =>
      applyUnary(backend, "leakyRelu", x, [attrs.alpha as number]),
  );
  replaceKernel(
    "ClipByValue",
    ({ inputs: { x }, attrs, backend }) =>
      applyUnary(backend, "clip", x, [attrs.clipValueMin as number, attrs.clipValueMax as number]),
  );
  replaceKernel("Select", select);
  replaceKernel("Cast", cast);
  replaceKernel("AddN", addN);
  replaceKernel("Fill", ({ attrs, backend }) => {
    const { shape, value, dtype } = attrs as { shape: number[]; value: number; dtype?: string };
    if ((dtype ?? "float32") !== "float32" || typeof value !== "number") return undefined;
    return apply(backend, "fill", [], shape, "float32", [value]);
  });
  replaceKernel("ZerosLike", ({ inputs: { x }, backend }) => fillLike(backend, x, 0));
  replaceKernel("OnesLike", ({ inputs: { x }, backend }) => fillLike(backend, x, 1));
}

/** float32, int32 or bool: one 4-byte word an element. */
function isPlain({ dtype }: tfTypes.TensorInfo): boolean {
  return dtype === "float32" || dtype === "int32" || dtype === "bool";
}

function broadcastShape(a: tfTypes.TensorInfo, b: tfTypes.TensorInfo): number[] {
  return tf.backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
}

/** Applies one function to tensors that are broadcast to `shape`. Undefined when it is empty. */
function apply(
  backend: GanforgeWebGpuBackend,
  op: ElementwiseOpName,
  tensors: tfTypes.TensorInfo[],
  shape: number[],
  dtype: "float32" | "int32" | "bool",
  params: number[] = [],
): tfTypes.TensorInfo | undefined {
  const args = tensors.map((_, operand) => ({ operand }));
  return applyNodes(backend, [{ op, args, params }], tensors, shape, dtype);
}

function applyNodes(
  backend: GanforgeWebGpuBackend,
  nodes: ElementwiseNode[],
  tensors: tfTypes.TensorInfo[],
  shape: number[],
  dtype: "float32" | "int32" | "bool",
): tfTypes.TensorInfo | undefined {
  const size = tf.util.sizeFromShape(shape);
  if (size === 0) return undefined;
  const output = backend.allocate(shape, dtype);
  backend.elementwise({
    size,
    operands: tensors.map((tensor) => ({
      buffer: backend.bufferOf(tensor),
      type: tensor.dtype === "float32" ? "f32" : "i32",
      terms: broadcastTerms(tensor.shape, shape),
    })),
    nodes,
    outputs: [{ node: nodes.length - 1, buffer: backend.bufferOf(output) }],
  }, [...tensors, output]);
  return output;
}

function applyUnary(
  backend: GanforgeWebGpuBackend,
  op: ElementwiseOpName,
  x: tfTypes.TensorInfo,
  params: number[] = [],
): tfTypes.TensorInfo | undefined {
  return x.dtype === "float32" ? apply(backend, op, [x], x.shape, "float32", params) : undefined;
}

function fillLike(
  backend: GanforgeWebGpuBackend,
  x: tfTypes.TensorInfo,
  value: number,
): tfTypes.TensorInfo | undefined {
  return x.dtype === "float32"
    ? apply(backend, "fill", [], x.shape, "float32", [value])
    : undefined;
}

function select({ inputs: { condition, t, e }, backend }: KernelCall) {
  const sameShape = tf.util.arraysEqual(condition.shape, t.shape) &&
    tf.util.arraysEqual(t.shape, e.shape);
  if (!sameShape || t.dtype !== "float32" || e.dtype !== "float32") return undefined;
  if (condition.dtype !== "bool") return undefined;
  return apply(backend, "where", [condition, t, e], t.shape, "float32");
}

function cast({ inputs: { x }, attrs, backend }: KernelCall) {
  const dtype = attrs.dtype as string;
  if (x.dtype === dtype || !isPlain(x)) return undefined;
  if (x.dtype === "float32") {
    if (dtype === "int32") return apply(backend, "toInt", [x], x.shape, "int32");
    if (dtype === "bool") return apply(backend, "toBool", [x], x.shape, "bool");
    return undefined;
  }
  return dtype === "float32" ? apply(backend, "toFloat", [x], x.shape, "float32") : undefined;
}

/** More operands than this could pass the bindings that a WebGPU device must offer. */
const MAX_OPERANDS = 7;

function addN({ inputs, backend }: KernelCall) {
  const tensors = Object.values(inputs);
  const plain = tensors.every((x) => x.dtype === "float32");
  if (!plain || tensors.length < 2 || tensors.length > MAX_OPERANDS) return undefined;
  const nodes = tensors.slice(1).map((_, n): ElementwiseNode => ({
    op: "add",
    args: [n === 0 ? { operand: 0 } : { node: n - 1 }, { operand: n + 1 }],
    params: [],
  }));
  return applyNodes(backend, nodes, tensors, tensors[0].shape, "float32");
}

/**
 * Draws random numbers on the GPU.
 * @param address an int32 tensor of `[seed, step]`
 */
export function drawRandom(
  backend: GanforgeWebGpuBackend,
  kind: "uniform" | "normal",
  address: tfTypes.TensorInfo,
  options: { shape: number[]; stream: number; rows?: DrawRows },
): tfTypes.TensorInfo {
  const { shape, stream, rows } = options;
  const size = tf.util.sizeFromShape(shape);
  if (size === 0) return backend.makeTensorInfo(shape, "float32", new Float32Array(0));
  const output = backend.allocate(shape);
  backend.elementwise({
    size,
    operands: [{ buffer: backend.bufferOf(address), type: "i32", terms: [] }],
    nodes: [
      rows ? rowsNode(kind, { size, stream, rows }) : {
        op: kind,
        args: [{ operand: 0 }],
        params: [stream],
      },
    ],
    outputs: [{ node: 0, buffer: backend.bufferOf(output) }],
  }, [address, output]);
  return output;
}

/** A draw of some rows of a larger one; see `row_index` in elementwise_ops.ts. */
function rowsNode(
  kind: "uniform" | "normal",
  { size, stream, rows }: { size: number; stream: number; rows: DrawRows },
): ElementwiseNode {
  const own = size / rows.parts;
  return {
    op: kind === "uniform" ? "uniformRows" : "normalRows",
    args: [{ operand: 0 }],
    params: [stream, own, own * rows.shares, own * rows.share],
  };
}
