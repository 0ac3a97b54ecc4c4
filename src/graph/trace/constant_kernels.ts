/**
 * Constant folding: a kernel whose inputs are all constants runs once, on TensorFlow.js' cpu backend,
 * while tracing.
 */
import { elementCount } from "../../bytes.ts";
import { tf } from "../../tensor/tf.ts";
import {
  type ConstantData,
  constantData,
  type KernelNode,
  type KernelType,
  type KernelValue,
  newData,
  type ValueSource,
} from "./kernel_graph.ts";
import type { OutputShape } from "./shape_rule.ts";
import { arithmeticShapeRules } from "./shape_rules_math.ts";

/** A folded output. */
export interface FoldedOutput {
  /** Its shape. */
  shape: number[];
  /** Its type. */
  dtype: KernelType;
  /** The constant. */
  source: ValueSource;
}

/** Larger constants are left to the runtime: folding them would only make the file bigger. */
const MAX_ELEMENTS = 2 ** 24;

/** Kernels that are not elementwise although their rule sits with the arithmetic. */
const NOT_ELEMENTWISE = new Set([
  ..."All Any ArgMax ArgMin BatchMatMul Cumprod Cumsum Einsum Max Mean Min Prod Softmax".split(
    " ",
  ),
  ..."Sum _FusedMatMul".split(" "),
]);

/** Kernels that only rearrange or repeat elements: a fill stays a fill. */
const REARRANGING = new Set(
  "ExpandDims Reshape Reverse Slice SplitV StridedSlice Tile Transpose Unpack".split(
    " ",
  ),
);

/** Kernels that give the same elements another shape or order. */
const RELABELING = new Set(["ExpandDims", "Reshape", "Transpose"]);

/**
 * Computes a kernel whose inputs are all constants.
 * @param onlyFills whether to compute only what needs a single number
 * @returns the outputs, or null where an input is known only at run time or the tensors are too large
 */
export function foldConstants(
  kernel: string,
  inputs: Record<string, KernelValue>,
  attributes: KernelNode["attributes"],
  shapes: OutputShape[],
  onlyFills = false,
): FoldedOutput[] | null {
  const values = Object.values(inputs);
  if (values.length === 0) { // Range and the like
    const [data] = runOnCpu(kernel, inputs, attributes);
    const [{ shape, dtype = "float32" }] = shapes;
    return [{ shape, dtype, source: { kind: "constant", data } }];
  }
  if (values.some(({ source }) => source.kind !== "constant" && source.kind !== "fill")) {
    return null;
  }
  const fallback = values[0].dtype;
  const drawnBy = values.map(drawnByOf).find((name) => name !== undefined);
  const outputs = shapes.map(({ shape, dtype }) => ({ shape, dtype: dtype ?? fallback }));

  if (values.every(({ source }) => source.kind === "fill")) {
    if (REARRANGING.has(kernel)) {
      return outputs.map((output) => ({ ...output, source: values[0].source }));
    }
    if (kernel in arithmeticShapeRules && !NOT_ELEMENTWISE.has(kernel)) {
      const scalars = Object.fromEntries(
        Object.entries(inputs).map(([name, value]) => [name, { ...value, shape: [] }]),
      );
      const [data] = runOnCpu(kernel, scalars, attributes);
      const value = data[0];
      return [{ ...outputs[0], source: { kind: "fill", value, ...(drawnBy ? { drawnBy } : {}) } }];
    }
  }
  if (onlyFills) return null;
  const largest = Math.max(...[...values, ...outputs].map(({ shape }) => elementCount(shape)));
  if (largest > MAX_ELEMENTS) return null;
  const results = runOnCpu(kernel, inputs, attributes);
  const [{ source }] = values;
  // The same values under another shape are still that parameter.
  const label = RELABELING.has(kernel) && source.kind === "constant" ? source.label : undefined;
  return outputs.map((output, index) => ({
    ...output,
    source: { kind: "constant", data: results[index], label, ...(drawnBy ? { drawnBy } : {}) },
  }));
}

function drawnByOf({ source }: KernelValue): string | undefined {
  return source.kind === "constant" || source.kind === "fill" ? source.drawnBy : undefined;
}

/** Runs a kernel of the cpu backend, whichever backend is active. */
function runOnCpu(
  kernel: string,
  inputs: Record<string, KernelValue>,
  attributes: KernelNode["attributes"],
): ConstantData[] {
  const config = tf.getKernel(kernel, "cpu");
  if (config === undefined) throw new Error(`The cpu backend has no kernel ${kernel}`);
  const cpu = tf.findBackend("cpu") as CpuBackend;
  const infos = Object.entries(inputs).map(([name, value]) => {
    const data = constantData(value)!;
    return [name, cpu.makeTensorInfo(value.shape, value.dtype, data)] as const;
  });
  const isList = Object.keys(inputs).every((name, index) => name === String(index));
  const given = isList ? infos.map(([, info]) => info) : Object.fromEntries(infos);
  const result = config.kernelFunc({
    inputs: given as unknown as tf.NamedTensorInfoMap,
    attrs: attributes as unknown as tf.NamedAttrMap,
    backend: cpu,
  });
  const outputs = Array.isArray(result) ? result : [result];
  const data = outputs.map((info) => {
    const values = cpu.readSync(info.dataId) as ArrayLike<number>;
    const copy = newData(info.dtype as KernelType, values.length);
    copy.set(values);
    return copy;
  });
  for (const info of [...outputs, ...infos.map(([, info]) => info)]) {
    cpu.disposeIntermediateTensorInfo(info);
  }
  return data;
}

/** What we use of TensorFlow.js' MathBackendCPU, which its typings do not export. */
interface CpuBackend extends tf.KernelBackend {
  makeTensorInfo(shape: number[], dtype: KernelType, values: ConstantData): tf.TensorInfo;
  disposeIntermediateTensorInfo(info: tf.TensorInfo): void;
}
