/** TensorFlow.js's Sum, Mean, Max and Min over any axes of float32 tensors, by reduction.ts. */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../../tensor/tf.ts";
import type { GanforgeWebGpuBackend } from "../backend.ts";
import type { Argument, Expression, Operand } from "../expression.ts";
import { chooseParts } from "../reduction.ts";
import { addParts } from "./partial_sums.ts";
import { type KernelCall, replaceKernel } from "./registry.ts";
import type { Combination } from "../work.ts";

/** Registers them for the backend "webgpu". */
export function registerReductionKernels(): void {
  const reduceAs = (combine: Combination, isMean: boolean) => (call: KernelCall) => {
    const { x } = call.inputs;
    const axis = (call.attrs.axis ?? call.attrs.reductionIndices) as number | number[] | undefined;
    if (x.dtype !== "float32" || tf.util.sizeFromShape(x.shape) === 0) return undefined;
    return reduce(call.backend, x, {
      combine,
      isMean,
      axes: tf.util.parseAxisParam(axis ?? x.shape.map((_, d) => d), x.shape),
      keepDims: call.attrs.keepDims === true,
    });
  };
  replaceKernel("Sum", reduceAs("sum", false));
  replaceKernel("Mean", reduceAs("sum", true));
  replaceKernel("Max", reduceAs("max", false));
  replaceKernel("Min", reduceAs("min", false));
}

function reduce(
  backend: GanforgeWebGpuBackend,
  x: tfTypes.TensorInfo,
  options: { combine: Combination; isMean: boolean; axes: number[]; keepDims: boolean },
): tfTypes.TensorInfo {
  const { combine, isMean, axes, keepDims } = options;
  const isReduced = x.shape.map((extent, d) => axes.includes(d) && extent > 1);
  const shape = keepDims
    ? x.shape.map((extent, d) => axes.includes(d) ? 1 : extent)
    : x.shape.filter((_, d) => !axes.includes(d));
  const product = (from: number, to: number) => tf.util.sizeFromShape(x.shape.slice(from, to));
  const count = isMean ? axes.reduce((all, d) => all * x.shape[d], 1) : 1;
  // Runs of neighboring axes, the last run first: what is left of it stays contiguous.
  let current = backend.view(x, x.shape);
  let end = x.shape.length;
  let inner = 1;
  const stages: { outer: number; reduced: number; inner: number }[] = [];
  while (end > 0) {
    let start = end - 1;
    while (start > 0 && isReduced[start - 1] === isReduced[end - 1]) start--;
    if (isReduced[end - 1]) {
      stages.push({ outer: product(0, start), reduced: product(start, end), inner });
    } else inner *= product(start, end);
    end = start;
  }
  stages.forEach((stage, i) => {
    const divisor = i === stages.length - 1 ? count : 1;
    const next = reduceOnce(backend, current, { ...stage, combine, divisor });
    backend.disposeData(current.dataId);
    current = next;
  });
  return { ...current, shape };
}

/** One reduction of `[outer, reduced, inner]` over its middle. */
interface Stage {
  outer: number;
  reduced: number;
  inner: number;
  combine: Combination;
  divisor: number;
}

/** Reduces the middle of `[outer, reduced, inner]`. */
function reduceOnce(
  backend: GanforgeWebGpuBackend,
  x: tfTypes.TensorInfo,
  stage: Stage,
): tfTypes.TensorInfo {
  const size = stage.outer * stage.reduced * stage.inner;
  const terms = size === 1 ? [] : [{ divisor: 1, modulus: size, stride: 1 }];
  const operands: Operand[] = [{ buffer: backend.bufferOf(x), type: "f32", terms }];
  const what = { size, operands, nodes: [], value: { operand: 0 }, tensors: [x] };
  return reduceExpression(backend, what, stage);
}

/**
 * Reduces the elements of an expression, in two steps where one has too few threads.
 * @param what the expression, what of it is reduced, and the tensors that it reads
 * @returns `[outer, 1, inner]`
 */
export function reduceExpression(
  backend: GanforgeWebGpuBackend,
  what: Expression & { value: Argument; tensors: tfTypes.TensorInfo[] },
  stage: Stage,
): tfTypes.TensorInfo {
  const { outer, inner, combine, divisor } = stage;
  const { tensors, ...expression } = what;
  const parts = chooseParts(backend, stage);
  const output = backend.allocate([outer, parts, inner]);
  backend.reduction({
    ...stage,
    ...expression,
    parts,
    divisor: parts === 1 ? divisor : 1,
    output: backend.bufferOf(output),
  }, [...tensors, output]);
  if (parts === 1) return output;
  if (combine === "sum") {
    const result = backend.allocate([outer, 1, inner]);
    addParts(backend, output, result, { outer, splits: parts, inner, divisor });
    return result;
  }
  const result = reduceOnce(backend, output, { ...stage, reduced: parts });
  backend.disposeData(output.dataId);
  return result;
}
