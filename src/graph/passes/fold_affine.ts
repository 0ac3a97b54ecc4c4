/**
 * Folds biases, batch norms and changes of range into the products and convolutions beside them. What
 * cannot be folded is brought to one multiplication and one addition.
 */
import {
  type KernelGraph,
  type KernelNode,
  type KernelValue,
  producerOf,
} from "../trace/kernel_graph.ts";
import { type Affine, channelsOf, compose, isAll, readAffine, repeated } from "./affine.ts";
import { readLinear, scaleInputs, scaleOutputs } from "./linear.ts";
import { GraphRewriter } from "./rewriter.ts";

/** Several affine kernels in a row, as one map. */
interface AffineChain {
  map: Affine;
  input: KernelValue;
  length: number;
}

/** Runs the pass. */
export function foldAffine(graph: KernelGraph): KernelGraph {
  return foldForward(foldBackward(graph));
}

/** Into what comes before. */
function foldBackward(graph: KernelGraph): KernelGraph {
  const rewriter = new GraphRewriter(graph);
  const readers = singleReaders(graph);
  for (const node of graph.nodes) {
    rewriter.keep(node);
    const [value] = node.outputs;
    const chain = readChain(rewriter, node);
    if (chain === null || continues(readers.get(value.id))) continue;
    const folded = absorb(rewriter, chain.input, chain.map) ??
      (chain.length > 1 || node.kernel === "FusedBatchNorm"
        ? writeChain(rewriter, chain, node)
        : null);
    if (folded !== null) rewriter.replace(value, folded);
  }
  return rewriter.finish();
}

/** Into what comes after. */
function foldForward(graph: KernelGraph): KernelGraph {
  const rewriter = new GraphRewriter(graph);
  for (const node of graph.nodes) {
    rewriter.keep(node);
    const linear = readLinear(node.outputs[0]);
    if (linear === null) continue;
    const input = node.inputs[linear.inputName];
    const before = producerOf(input);
    if (before === undefined || rewriter.useCount(input) !== 1) continue;
    const chain = readChain(rewriter, before);
    if (chain === null) continue;
    const folded = scaleInputs(rewriter, linear, chain.map, chain.input);
    if (folded !== null) rewriter.replace(node.outputs[0], folded);
  }
  return rewriter.finish();
}

/** For each value that one kernel alone reads, that kernel. */
function singleReaders(graph: KernelGraph): Map<number, KernelNode> {
  const readers = new Map<number, KernelNode | null>();
  for (const node of graph.nodes) {
    for (const { id } of Object.values(node.inputs)) readers.set(id, readers.has(id) ? null : node);
  }
  for (const { value } of graph.outputs) readers.set(value.id, null);
  return new Map(
    [...readers].filter((entry): entry is [number, KernelNode] => entry[1] !== null),
  );
}

/** Whether a chain goes on with this kernel. */
function continues(reader: KernelNode | undefined): boolean {
  return reader !== undefined && readAffine(reader) !== null;
}

/** The longest chain of affine kernels that ends with this one. */
function readChain(rewriter: GraphRewriter, node: KernelNode): AffineChain | null {
  const last = readAffine(node);
  if (last === null) return null;
  const chain: AffineChain = { map: last, input: last.input, length: 1 };
  for (;;) {
    const before = producerOf(chain.input);
    if (before === undefined || rewriter.useCount(chain.input) !== 1) return chain;
    const affine = readAffine(before);
    if (affine === null) return chain;
    chain.map = compose(affine, chain.map);
    chain.input = affine.input;
    chain.length++;
  }
}

/**
 * Makes an affine map part of what produces a value.
 * @returns the value with the map applied, or null where its producer cannot take it
 */
function absorb(rewriter: GraphRewriter, value: KernelValue, map: Affine): KernelValue | null {
  const node = producerOf(value);
  if (node === undefined || rewriter.useCount(value) !== 1) return null;
  const linear = readLinear(value);
  if (linear !== null) return scaleOutputs(rewriter, linear, map);
  const { kernel, attributes, scope } = node;
  // Each output is one input: the map may as well come first, on fewer numbers.
  if (kernel === "ResizeNearestNeighbor") {
    const images = absorb(rewriter, node.inputs.images, map);
    if (images === null) return null;
    return rewriter.add({ kernel, inputs: { images }, attributes, shape: value.shape, scope });
  }
  if (kernel === "Reshape") {
    const { x } = node.inputs;
    if (channelsOf(x) % channelsOf(value) !== 0) return null;
    const moved = absorb(rewriter, x, repeated(map, channelsOf(x)));
    if (moved === null) return null;
    return rewriter.add({ kernel, inputs: { x: moved }, attributes, shape: value.shape, scope });
  }
  return null;
}

/** The chain as at most one multiplication and one addition. */
function writeChain(
  rewriter: GraphRewriter,
  { map, input }: AffineChain,
  { scope, outputs: [{ shape }] }: KernelNode,
): KernelValue {
  const steps = [
    { kernel: "Multiply", values: map.scale, neutral: 1, label: `${scope}/scale` },
    { kernel: "Add", values: map.shift, neutral: 0, label: `${scope}/shift` },
  ].filter(({ values, neutral }) => !isAll(values, neutral));
  return steps.reduce((value, { kernel, values, label }) => {
    const isSingle = isAll(values, values[0]);
    const data = Float32Array.from(isSingle ? values.slice(0, 1) : values);
    const b = rewriter.constant(data, isSingle ? [] : [data.length], label);
    return rewriter.add({ kernel, inputs: { a: value, b }, shape, scope });
  }, input);
}
