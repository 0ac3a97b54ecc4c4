/**
 * Matrix products for TensorFlow.js's kernels BatchMatMul and _FusedMatMul: `C = op(A) op(B)` in all
 * transposition cases, batches broadcast, the sum split where the result alone has too few tiles.
 * Replacing the stock kernel also mends its wrong split sums with a transposed B.
 */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../tf.ts";
import type { GanforgeWebGpuBackend } from "../backend.ts";
import type { Dispatch } from "../backend_types.ts";
import { broadcastTerms, type IndexTerm } from "../expression.ts";
import { chooseSplits } from "../tuning.ts";
import { packScalars } from "../uniforms.ts";
import { workgroupGemmCode, workgroupGemmGroups } from "./gemm_workgroup.ts";
import { REGISTER_THREADS, registerMatmulCode } from "./matmul_registers.ts";
import { addParts } from "./partial_sums.ts";
import { type KernelCall, replaceKernel } from "./registry.ts";
import { storage, uniforms } from "./wgsl.ts";

/** One product, or a batch of them. */
interface Product {
  M: number;
  N: number;
  K: number;
  transposeA: boolean;
  transposeB: boolean;
  batch: number;
  /** Numbers from one matrix of the batch to the next; 0 where all use the same. */
  strideA: number;
  strideB: number;
}

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
  return K === 1 && batch === 1
    ? outerProduct(backend, a, b, shape, product)
    : matrixProduct(backend, a, b, shape, product);
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
  if (parts > 1) addParts(backend, target, output, { splits: parts, size });
  return output;
}

type PlannedProduct = Omit<Dispatch, "reads" | "writes"> & { parts: number };

function labelOf({ transposeA, transposeB }: Product): string {
  return `matmul${transposeA ? "T" : "N"}${transposeB ? "T" : "N"}`;
}

function registerProduct(backend: GanforgeWebGpuBackend, product: Product): PlannedProduct {
  const { M, N, K, transposeA, transposeB, batch } = product;
  const { tuning } = backend;
  const fours = { m: M % 4 === 0, n: N % 4 === 0, k: K % 4 === 0 };
  const columns = Math.min(tuning.threadTile.columns, fours.n ? N : Math.min(N, 4));
  const width = fours.n && columns % 4 ? columns - columns % 4 : columns;
  let rows = Math.min(tuning.threadTile.rows, Math.ceil(M / 4) * 4);
  const tilesN = Math.ceil(N / width);
  const tilesOf = (r: number) => Math.ceil(M / r) * tilesN * batch;
  while (tilesOf(rows) < tuning.enoughTiles / 4 && rows > 4) rows = Math.max(4, rows / 2 & ~3);
  const parts = chooseSplits(tuning, tilesOf(rows), K);
  const depth = Math.ceil(K / parts / 4) * 4;
  const tiles = Math.ceil(M / rows) * tilesN;
  const code = registerMatmulCode({ transposeA, transposeB, fours, rows, columns: width });
  const label = labelOf(product);
  return {
    label,
    pipeline: backend.pipeline(label, code),
    uniforms: packScalars([
      M,
      N,
      K,
      depth,
      tilesN,
      tiles,
      parts,
      product.strideA,
      product.strideB,
    ]),
    workgroups: [Math.ceil(tiles / REGISTER_THREADS), 1, batch * parts],
    parts,
  };
}

function workgroupProduct(backend: GanforgeWebGpuBackend, product: Product): PlannedProduct {
  const { M, N, K, transposeA, transposeB, batch } = product;
  const { groupTile } = backend.tuning;
  const tile = {
    rows: M <= groupTile.rows / 2 ? 32 : groupTile.rows,
    columns: N <= groupTile.columns / 2 ? 32 : groupTile.columns,
    depth: groupTile.depth,
  };
  const [x, y] = workgroupGemmGroups(tile, M, N);
  const parts = chooseSplits(backend.tuning, x * y * batch, K);
  const depth = Math.ceil(K / parts / 4) * 4;
  const code = workgroupGemmCode({
    declarations: `
${storage({ A: "f32", B: "f32" }, { C: "f32" })}
${uniforms(["M", "N", "K", "depth", "parts", "strideA", "strideB"], 3)}`,
    setup: `
let batch = z / u.parts;
let part = z % u.parts;
let end = min(u.K, (part + 1u) * u.depth);
let out = (part * (groups.z / u.parts) + batch) * u.M * u.N;`,
    sizes: { rows: "u.M", columns: "u.N", from: "part * u.depth", to: "end" },
    a: `A[batch * u.strideA + ${transposeA ? "k * u.M + m" : "m * u.K + k"}]`,
    b: `B[batch * u.strideB + ${transposeB ? "n * u.K + k" : "k * u.N + n"}]`,
    store: "C[out + m * u.N + n] = value;",
    aContiguousInTerms: !transposeA,
    bContiguousInTerms: transposeB,
    tile,
  });
  const label = labelOf(product);
  return {
    label,
    pipeline: backend.pipeline(label, code),
    uniforms: packScalars([M, N, K, depth, parts, product.strideA, product.strideB]),
    workgroups: [x, y, batch * parts],
    parts,
  };
}
