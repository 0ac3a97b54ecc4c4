/**
 * Kernels that are linear in their input and have constant weights: products of matrices and
 * convolutions of all kinds. An affine map before or behind one becomes part of its weights.
 */
import { elementCount } from "../../bytes.ts";
import { numberAttribute, textAttribute } from "../trace/attributes.ts";
import {
  constantData,
  type KernelNode,
  type KernelValue,
  producerOf,
  sameNumbers,
} from "../trace/kernel_graph.ts";
import { convolutionInfo } from "../trace/shape_rules_image.ts";
import { type Affine, isAll } from "./affine.ts";
import type { GraphRewriter } from "./rewriter.ts";

/** A linear kernel, taken apart. */
export interface LinearKernel {
  node: KernelNode;
  /** The names of its inputs. */
  inputName: "a" | "x" | "dy";
  weightName: "b" | "filter";
  weight: KernelValue;
  data: Float32Array;
  bias: Float64Array | null;
  /** For weight number `i`: the output channel and the input channel that it belongs to. */
  outputOf: (index: number) => number;
  inputOf: (index: number) => number;
  outputs: number;
  /** The kernel's name when it has a bias. */
  withBias: string;
}

const CONVOLUTIONS: Record<string, string> = {
  Conv2D: "FusedConv2D",
  FusedConv2D: "FusedConv2D",
  DepthwiseConv2dNative: "FusedDepthwiseConv2D",
  FusedDepthwiseConv2D: "FusedDepthwiseConv2D",
  Conv2DBackpropInput: "Conv2DBackpropInput",
};

/** Takes a kernel apart, or gives null where it is not linear with constant weights. */
export function readLinear(value: KernelValue): LinearKernel | null {
  const node = producerOf(value);
  if (node === undefined) return null;
  if (node.kernel === "BatchMatMul" || node.kernel === "_FusedMatMul") return readProduct(node);
  const withBias = CONVOLUTIONS[node.kernel];
  if (withBias === undefined || hasActivation(node)) return null;
  const { filter } = node.inputs;
  const data = floatData(filter);
  const isDepthwise = withBias === "FusedDepthwiseConv2D";
  const isTransposed = node.kernel === "Conv2DBackpropInput";
  // [h, w, inputs, outputs]; transposed [h, w, outputs, inputs]; depthwise [h, w, inputs, multiplier]
  const [, , third, fourth] = filter.shape;
  const outputs = isDepthwise ? third * fourth : isTransposed ? third : fourth;
  const bias = readBias(node, outputs);
  if (data === null || bias === undefined) return null;
  const last = (index: number) => index % fourth;
  const lastButOne = (index: number) => Math.floor(index / fourth) % third;
  const perGroup = fourth / numberAttribute(node.attributes, "groups", 1);
  const groupedInput = (index: number) =>
    Math.floor(last(index) / perGroup) * third + lastButOne(index);
  return {
    node,
    inputName: isTransposed ? "dy" : "x",
    weightName: "filter",
    weight: filter,
    data,
    bias,
    outputOf: isDepthwise ? (index) => index % outputs : isTransposed ? lastButOne : last,
    inputOf: isTransposed ? last : isDepthwise ? lastButOne : groupedInput,
    outputs,
    withBias,
  };
}

function readProduct(node: KernelNode): LinearKernel | null {
  const { a, b } = node.inputs;
  const { transposeA, transposeB } = node.attributes;
  if (a.shape.length !== 2 || b.shape.length !== 2 || transposeA || transposeB) return null;
  if (hasActivation(node)) return null;
  const data = floatData(b);
  const outputs = b.shape[1];
  const bias = readBias(node, outputs);
  if (data === null || bias === undefined) return null;
  return {
    node,
    inputName: "a",
    weightName: "b",
    weight: b,
    data,
    bias,
    outputOf: (index) => index % outputs,
    inputOf: (index) => Math.floor(index / outputs),
    outputs,
    withBias: "_FusedMatMul",
  };
}

/** Adds the kernel with other weights. @param scope the layer that the new one belongs to */
export function addLinear(
  rewriter: GraphRewriter,
  linear: LinearKernel,
  changed: { data: Float32Array; bias: Float64Array | null; input?: KernelValue },
  scope = linear.node.scope,
): KernelValue {
  const { node, inputName, weightName, weight, withBias } = linear;
  const inputs: Record<string, KernelValue> = {
    [inputName]: changed.input ?? node.inputs[inputName],
    [weightName]: changed.data === linear.data && weight.source.kind === "constant"
      ? weight
      : rewriter.constant(
        changed.data,
        weight.shape,
        constantLabel(weight) ?? `${node.scope}/weight`,
      ),
  };
  if (changed.bias !== null) {
    const label = constantLabel(node.inputs.bias) ?? `${node.scope}/bias`;
    inputs.bias = rewriter.constant(
      Float32Array.from(changed.bias),
      [changed.bias.length],
      label,
    );
  }
  return rewriter.add({
    kernel: changed.bias === null ? node.kernel : withBias,
    inputs,
    attributes: node.attributes,
    shape: node.outputs[0].shape,
    scope,
  });
}

/** The kernel with an affine map behind it. */
export function scaleOutputs(
  rewriter: GraphRewriter,
  linear: LinearKernel,
  { scale, shift }: Affine,
): KernelValue {
  const { data, outputOf, bias } = linear;
  const scaled = isAll(scale, 1)
    ? data
    : data.map((value, index) => value * scale[outputOf(index)]);
  const moved = shift.map((value, c) => value + (bias === null ? 0 : bias[c] * scale[c]));
  return addLinear(rewriter, linear, { data: scaled, bias: isAll(moved, 0) ? null : moved });
}

/**
 * The kernel with an affine map before it, or null where it cannot become part of the weights: a
 * convolution's padding is not shifted.
 */
export function scaleInputs(
  rewriter: GraphRewriter,
  linear: LinearKernel,
  { scale, shift }: Affine,
  input: KernelValue,
): KernelValue | null {
  const { data, inputOf, outputOf, outputs, bias } = linear;
  if (!isAll(shift, 0) && !seesOnlyInput(linear)) return null;
  const scaled = data.map((value, index) => value * scale[inputOf(index)]);
  const moved = new Float64Array(outputs);
  if (bias !== null) moved.set(bias);
  data.forEach((value, index) => moved[outputOf(index)] += value * shift[inputOf(index)]);
  return addLinear(rewriter, linear, {
    data: scaled,
    bias: bias === null && isAll(moved, 0) ? null : moved,
    input,
  });
}

/** Whether every weight meets an input at every output position: nothing is padded. */
function seesOnlyInput({ node, inputName, weight }: LinearKernel): boolean {
  if (inputName === "a") return true;
  if (inputName === "dy") return false;
  const isDepthwise = node.kernel.includes("Depthwise");
  const { top, left, bottom, right } =
    convolutionInfo(node.inputs.x.shape, weight.shape, node.attributes, isDepthwise).padInfo;
  return sameNumbers([top, left, bottom, right], [0, 0, 0, 0]);
}

function hasActivation(node: KernelNode): boolean {
  return (textAttribute(node.attributes, "activation") ?? "linear") !== "linear";
}

/** The bias, null where there is none, undefined where it is no constant vector. */
function readBias(node: KernelNode, outputs: number): Float64Array | null | undefined {
  const { bias } = node.inputs;
  if (bias === undefined) return null;
  const data = constantData(bias);
  if (data === undefined || elementCount(bias.shape) !== outputs) return undefined;
  return Float64Array.from(data);
}

function floatData(value: KernelValue): Float32Array | null {
  const data = constantData(value);
  return data instanceof Float32Array ? data : null;
}

/** A constant's readable name. */
export function constantLabel(value: KernelValue | undefined): string | undefined {
  return value?.source.kind === "constant" ? value.source.label : undefined;
}
