/**
 * Matrix products for TensorFlow.js's kernels BatchMatMul and _FusedMatMul: `C = op(A) op(B)` in all
 * transposition cases, batches broadcast, the sum split where the result alone has too few tiles.
 * Replacing the stock kernel also fixes its wrong split sums with a transposed B.
 */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../../tensor/tf.ts";
import type { GanforgeWebGpuBackend } from "../backend.ts";
import { broadcastTerms, type IndexTerm, type Operand } from "../expression.ts";
import { type Product, registerProduct, workgroupProduct } from "./matmul_plan.ts";
import { addParts } from "./partial_sums.ts";
import { reduceExpression } from "./reduce.ts";
import { type KernelCall, replaceKernel } from "./registry.ts";

/** From this many columns on, a product pays for transposing A. */
const WIDE = 128;

/** Registers the kernels for the backend "webgpu". */
export function registerMatmulKernels(): void {
  replaceKernel("BatchMatMul", batchMatMul);
  replaceKernel("_FusedMatMul", fusedMatMul);
}

function batchMatMul({ inputs: { a, b }, attrs, backend }: KernelCall) {
  const { transposeA, transposeB } = attrs as { transposeA: boolean; transposeB: boolean };
  return multiply(backend, a, b, transposeA, transposeB);
}

/** The product, then bias and activation through the kernels of those operations. */
function fusedMatMul({ inputs, attrs, backend }: KernelCall) {
  const { a, b, bias, preluActivationWeights } = inputs;
  const { transposeA, transposeB, activation, leakyreluAlpha } = attrs as {
    transposeA: boolean;
    transposeB: boolean;
    activation: string | null;
    leakyreluAlpha?: number;
  };
  const kernel = ACTIVATION_KERNELS[activation ?? "linear"];
  if (preluActivationWeights || kernel === undefined) return undefined;
  let result = multiply(backend, a, b, transposeA, transposeB);
  if (result && bias) result = next(backend, "Add", { a: result, b: bias });
  if (result && kernel) result = next(backend, kernel, { x: result }, { alpha: leakyreluAlpha });
  return result;
}

/** Kernels of activations by TensorFlow.js's names; "" for none. */
export const ACTIVATION_KERNELS: Record<string, string | undefined> = {
  linear: "",
  relu: "Relu",
  relu6: "Relu6",
  elu: "Elu",
  sigmoid: "Sigmoid",
  tanh: "Tanh",
  leakyrelu: "LeakyRelu",
};

/** Runs another kernel on a result that nobody else has, and releases that. */
export function next(
  backend: GanforgeWebGpuBackend,
  kernel: string,
  inputs: Record<string, tfTypes.TensorInfo>,
  attrs: Record<string, unknown> = {},
): tfTypes.TensorInfo {
  const { kernelFunc } = tf.getKernel(kernel, "webgpu");
  const call = { inputs, attrs, backend } as unknown as Parameters<typeof kernelFunc>[0];
  const result = kernelFunc(call) as tfTypes.TensorInfo;
  backend.disposeData(Object.values(inputs)[0].dataId);
  return result;
}

function multiply(
  backend: GanforgeWebGpuBackend,
  a: tfTypes.TensorInfo,
  b: tfTypes.TensorInfo,
  transposeA: boolean,
  transposeB: boolean,
): tfTypes.TensorInfo | undefined {
  if (a.dtype !== "float32" || b.dtype !== "float32") return undefined;
  const sizes = (
    shape: number[],
  ) => [tf.util.sizeFromShape(shape.slice(0, -2)), ...shape.slice(-2)];
  const [batchA, rowsA, columnsA] = sizes(a.shape);
  const [batchB, rowsB, columnsB] = sizes(b.shape);
  if (batchA !== batchB && batchA !== 1 && batchB !== 1) return undefined;
  const M = transposeA ? columnsA : rowsA;
  const K = transposeA ? rowsA : columnsA;
  const N = transposeB ? rowsB : columnsB;
  const batch = Math.max(batchA, batchB);
  const outer = a.shape.length >= b.shape.length && batchA === batch ? a.shape : b.shape;
  const shape = [...outer.slice(0, -2), M, N];
  if (M * N * K * batch === 0) return undefined;
  const product: Product = {
    M,
    N,
    K,
    // A single row or column is stored the same way either way round: take the faster reading.
    transposeA: transposeA && M > 1,
    transposeB: transposeB || N === 1,
    batch,
    strideA: batchA === 1 ? 0 : M * K,
    strideB: batchB === 1 ? 0 : K * N,
  };
  if (batch > 1) return matrixProduct(backend, a, b, shape, product);
  if (K === 1) return outerProduct(backend, a, b, shape, product);
  if (backend.tuning.family === "workgroup") {
    if (N === 1) return vectorProduct(backend, a, b, { shape, isAcross: transposeA });
    if (M === 1) return vectorProduct(backend, b, a, { shape, isAcross: !transposeB });
  }
  return matrixProduct(backend, a, b, shape, product);
}

/**
 * A matrix times a vector: sums along rows, or down columns where the matrix is read across the sum,
 * which leave no part of a tile idle.
 */
function vectorProduct(
  backend: GanforgeWebGpuBackend,
  matrix: tfTypes.TensorInfo,
  vector: tfTypes.TensorInfo,
  { shape, isAcross }: { shape: number[]; isAcross: boolean },
): tfTypes.TensorInfo {
  const terms = tf.util.sizeFromShape(vector.shape);
  const size = tf.util.sizeFromShape(matrix.shape);
  const results = size / terms;
  const operand = (tensor: tfTypes.TensorInfo, term: IndexTerm): Operand => ({
    buffer: backend.bufferOf(tensor),
    type: "f32",
    terms: [term],
  });
  const product = reduceExpression(backend, {
    size,
    operands: [
      operand(matrix, { divisor: 1, modulus: size, stride: 1 }),
      operand(vector, { divisor: isAcross ? results : 1, modulus: terms, stride: 1 }),
    ],
    nodes: [{ op: "mul", args: [{ operand: 0 }, { operand: 1 }], params: [] }],
    value: { node: 0 },
    tensors: [matrix, vector],
  }, {
    outer: isAcross ? 1 : results,
    reduced: terms,
    inner: isAcross ? results : 1,
    combine: "sum",
    divisor: 1,
  });
  return { ...product, shape };
}

/** `[M, 1] x [1, N]`: every element is one multiplication, so it may join elementwise kernels. */
function outerProduct(
  backend: GanforgeWebGpuBackend,
  a: tfTypes.TensorInfo,
  b: tfTypes.TensorInfo,
  shape: number[],
  { M, N }: Product,
): tfTypes.TensorInfo {
  const output = backend.allocate(shape);
  const operand = (tensor: tfTypes.TensorInfo, terms: IndexTerm[]) => ({
    buffer: backend.bufferOf(tensor),
    type: "f32" as const,
    terms,
  });
  backend.elementwise({
    size: M * N,
    operands: [
      operand(a, broadcastTerms([M, 1], [M, N])),
      operand(b, broadcastTerms([1, N], [M, N])),
    ],
    nodes: [{ op: "mul", args: [{ operand: 0 }, { operand: 1 }], params: [] }],
    outputs: [{ node: 0, buffer: backend.bufferOf(output) }],
  }, [a, b, output]);
  return output;
}

function matrixProduct(
  backend: GanforgeWebGpuBackend,
  a: tfTypes.TensorInfo,
  b: tfTypes.TensorInfo,
  shape: number[],
  product: Product,
): tfTypes.TensorInfo {
  if (isWorthTransposing(backend, product)) {
    const turned = transposed(backend, a, product);
    const result = matrixProduct(backend, turned, b, shape, { ...product, transposeA: true });
    backend.disposeData(turned.dataId);
    return result;
  }
  const plan = backend.tuning.family === "registers" ? registerProduct : workgroupProduct;
  const { parts, ...work } = plan(backend, product);
  const output = backend.allocate(shape);
  const size = tf.util.sizeFromShape(shape);
  const target = parts > 1 ? backend.allocate([parts, size]) : output;
  backend.dispatch({
    ...work,
    reads: [backend.bufferOf(a), backend.bufferOf(b)],
    writes: [backend.bufferOf(target)],
  }, [a, b, target]);
  if (parts > 1) addParts(backend, target, output, { splits: parts, inner: size });
  return output;
}

/**
 * Whether to turn A first, so that both operands are read across the sum: that costs as much as a few
 * columns of the product, and makes large tiles possible.
 */
function isWorthTransposing(backend: GanforgeWebGpuBackend, product: Product): boolean {
  const { transposeA, transposeB, M, N, batch } = product;
  const { tuning } = backend;
  if (tuning.family !== "registers" || transposeA || transposeB || batch > 1) return false;
  return M % 4 === 0 && N % 4 === 0 && M >= 2 * tuning.threadTile.rows && N >= WIDE;
}

/** A `[M, K]` as `[K, M]`. */
function transposed(
  backend: GanforgeWebGpuBackend,
  a: tfTypes.TensorInfo,
  { M, K }: Product,
): tfTypes.TensorInfo {
  const output = backend.allocate([K, M]);
  const terms = [{ divisor: 1, modulus: M, stride: K }, { divisor: M, modulus: K, stride: 1 }];
  backend.elementwise({
    size: M * K,
    operands: [{ buffer: backend.bufferOf(a), type: "f32", terms }],
    nodes: [{ op: "copy", args: [{ operand: 0 }], params: [] }],
    outputs: [{ node: 0, buffer: backend.bufferOf(output) }],
  }, [a, output]);
  return output;
}
