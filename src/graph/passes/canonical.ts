/**
 * Brings what Layers models are made of to the forms that the other passes know: activations apart from
 * the products that they were fused into, products of matrices in two dimensions, one reshape instead of
 * several.
 */
import { elementCount } from "../../bytes.ts";
import { numberAttribute, textAttribute } from "../trace/attributes.ts";
import {
  type KernelGraph,
  type KernelNode,
  type KernelValue,
  producerOf,
  sameNumbers,
} from "../trace/kernel_graph.ts";
import { GraphRewriter } from "./rewriter.ts";

/** Fused activations that are a kernel of their own, of one input. */
const ACTIVATIONS: Record<string, string> = {
  elu: "Elu",
  relu: "Relu",
  relu6: "Relu6",
  sigmoid: "Sigmoid",
  tanh: "Tanh",
};

/** Splits fused activations off. */
export function splitActivations(graph: KernelGraph): KernelGraph {
  const rewriter = new GraphRewriter(graph);
  for (const node of graph.nodes) {
    rewriter.keep(node);
    const fn = textAttribute(node.attributes, "activation") ?? "linear";
    if (fn === "linear") continue;
    const { preluActivationWeights: alpha, ...inputs } = node.inputs;
    const { kernel, attributes, scope, outputs: [value] } = node;
    const { shape } = value;
    const activated = (x: KernelValue): KernelValue | null => {
      if (fn === "prelu") {
        return rewriter.add({ kernel: "Prelu", inputs: { x, alpha }, shape, scope });
      }
      if (fn === "leakyrelu") {
        const alphaValue = numberAttribute(attributes, "leakyreluAlpha", 0.2);
        const leaky = { kernel: "LeakyRelu", inputs: { x }, attributes: { alpha: alphaValue } };
        return rewriter.add({ ...leaky, shape, scope });
      }
      const own = ACTIVATIONS[fn];
      return own === undefined ? null : rewriter.add({ kernel: own, inputs: { x }, shape, scope });
    };
    const linear = { ...attributes, activation: "linear" };
    const result = activated(rewriter.add({ kernel, inputs, attributes: linear, shape, scope }));
    if (result !== null) rewriter.replace(value, result);
  }
  return rewriter.finish();
}

/** Writes `[..., rows, k] x [1, ..., k, columns]` as a product of two matrices. */
export function flattenProducts(graph: KernelGraph): KernelGraph {
  const rewriter = new GraphRewriter(graph);
  for (const node of graph.nodes) {
    rewriter.keep(node);
    const flat = flattenProduct(rewriter, node);
    if (flat !== null) rewriter.replace(node.outputs[0], flat);
  }
  return rewriter.finish();
}

function flattenProduct(rewriter: GraphRewriter, node: KernelNode): KernelValue | null {
  const { kernel, inputs, attributes, scope, outputs: [{ shape }] } = node;
  if (kernel !== "BatchMatMul" && kernel !== "_FusedMatMul") return null;
  if (inputs.preluActivationWeights) return null; // their shape is made for the product's
  const { a, b } = inputs;
  if (b.shape.length < 3 || b.shape.slice(0, -2).some((dim) => dim !== 1)) return null;
  const isSingle = a.shape.slice(0, -2).every((dim) => dim === 1);
  if (attributes.transposeA && !isSingle) return null;
  const width = a.shape.at(-1)!;
  const flatA = rewriter.reshape(a, [elementCount(a.shape) / width, width], scope);
  const flatB = rewriter.reshape(b, b.shape.slice(-2), scope);
  const columns = shape.at(-1)!;
  const product = rewriter.add({
    kernel,
    inputs: { ...inputs, a: flatA, b: flatB },
    attributes,
    shape: [elementCount(shape) / columns, columns],
    scope,
  });
  return rewriter.reshape(product, shape, scope);
}

/**
 * Makes one reshape of several in a row where those between only add or leave out axes of length 1, and
 * none of those that cancel out. A vector that becomes an image and then something else stays: the other
 * passes want to know of the image.
 */
export function joinReshapes(graph: KernelGraph): KernelGraph {
  const rewriter = new GraphRewriter(graph);
  for (const node of graph.nodes) {
    rewriter.keep(node);
    const source = reshapeSource(node);
    if (source === null) continue;
    const [value] = node.outputs;
    const bases = [source];
    for (;;) {
      const before = producerOf(bases.at(-1)!);
      const next = before && reshapeSource(before);
      if (!next) break;
      bases.push(next);
    }
    const same = bases.find(({ shape }) => sameNumbers(shape, value.shape));
    if (same !== undefined) {
      rewriter.replace(value, same);
      continue;
    }
    let base = source;
    for (const next of bases.slice(1)) {
      const isTrivial = sameButUnits(base.shape, next.shape) ||
        sameButUnits(base.shape, value.shape);
      if (!isTrivial) break;
      base = next;
    }
    if (base !== source || node.kernel !== "Reshape") {
      rewriter.replace(value, rewriter.reshape(base, value.shape, node.scope));
    }
  }
  return rewriter.finish();
}

/** Whether two shapes are the same but for axes of length 1. */
function sameButUnits(a: readonly number[], b: readonly number[]): boolean {
  const long = (shape: readonly number[]) => shape.filter((dim) => dim !== 1);
  return sameNumbers(long(a), long(b));
}

/** What a kernel gives another shape to, or null where it does something else. */
function reshapeSource({ kernel, inputs }: KernelNode): KernelValue | null {
  if (kernel === "Reshape") return inputs.x;
  return kernel === "ExpandDims" ? inputs.input : null;
}
