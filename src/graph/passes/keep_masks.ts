/**
 * Lets the host make dropout's masks: comparing uniform numbers with a constant, converting the answer
 * and scaling it becomes one random input that holds 0 or a number. Three passes over memory less.
 */
import { textAttribute } from "../trace/attributes.ts";
import type { KernelGraph, KernelNode, KernelValue } from "../trace/kernel_graph.ts";
import { GraphRewriter } from "./rewriter.ts";

/** Runs the pass. */
export function recognizeKeepMasks(graph: KernelGraph): KernelGraph {
  const readers = findReaders(graph);
  const rewriter = new GraphRewriter(graph);
  const masks = new Map<number, KernelGraph["inputs"][number]>();
  for (const input of graph.inputs) {
    if (input.kind !== "random" || input.distribution !== "uniform") continue;
    const found = followMask(input.value, readers);
    if (found === null) continue;
    const value: KernelValue = { ...found.last, source: { kind: "input", name: input.name } };
    rewriter.replace(found.last, value);
    const { threshold, value: kept } = found;
    masks.set(input.value.id, { ...input, value, mask: { threshold, value: kept } });
  }
  for (const node of graph.nodes) rewriter.keep(node);
  const rewritten = rewriter.finish();
  const inputs = graph.inputs.map((input) => masks.get(input.value.id) ?? input);
  return { ...rewritten, inputs };
}

/** For each value, the kernels that read it; null where an output of the graph reads it too. */
function findReaders(graph: KernelGraph): Map<number, KernelNode[] | null> {
  const readers = new Map<number, KernelNode[] | null>();
  for (const node of graph.nodes) {
    for (const { id } of new Set(Object.values(node.inputs))) {
      readers.set(id, [...readers.get(id) ?? [], node]);
    }
  }
  for (const { value } of graph.outputs) readers.set(value.id, null);
  return readers;
}

/** Follows uniform numbers through comparing, converting and scaling, each the only reader. */
function followMask(
  draws: KernelValue,
  readers: ReadonlyMap<number, KernelNode[] | null>,
): { last: KernelValue; threshold: number; value: number } | null {
  const onlyReader = (value: KernelValue, kernel: string): KernelNode | null => {
    const nodes = readers.get(value.id);
    return nodes?.length === 1 && nodes[0].kernel === kernel ? nodes[0] : null;
  };
  const compared = onlyReader(draws, "GreaterEqual");
  const threshold = compared && compared.inputs.a === draws ? fillOf(compared.inputs.b) : null;
  if (compared === null || threshold === null || !(threshold > 0 && threshold < 1)) return null;
  const converted = onlyReader(compared.outputs[0], "Cast");
  if (converted === null || textAttribute(converted.attributes, "dtype") !== "float32") return null;
  const mask = converted.outputs[0];
  const scaled = onlyReader(mask, "Multiply");
  const value = scaled && fillOf(scaled.inputs.a === mask ? scaled.inputs.b : scaled.inputs.a);
  if (scaled === null || value === null) return { last: mask, threshold, value: 1 };
  return { last: scaled.outputs[0], threshold, value };
}

function fillOf({ source }: KernelValue): number | null {
  return source.kind === "fill" ? source.value : null;
}
