/** Passes over a traced graph that keep its meaning: dead code, common subexpressions. */
import type { KernelGraph, KernelNode, KernelValue } from "./kernel_graph.ts";

/** Leaves out the kernels whose results reach no output. */
export function removeDeadCode(graph: KernelGraph): KernelGraph {
  const live = new Set<KernelNode>();
  const pending = graph.outputs.map(({ value }) => value);
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (value.source.kind !== "kernel" || live.has(value.source.node)) continue;
    live.add(value.source.node);
    pending.push(...Object.values(value.source.node.inputs));
  }
  return { ...graph, nodes: graph.nodes.filter((node) => live.has(node)) };
}

/** Computes once what is computed several times from the same inputs. */
export function shareCommonSubexpressions(graph: KernelGraph): KernelGraph {
  const replaced = new Map<number, KernelValue>();
  const current = (value: KernelValue) => replaced.get(value.id) ?? value;
  const known = new Map<string, KernelNode>();
  const nodes: KernelNode[] = [];
  for (const node of graph.nodes) {
    for (const [name, value] of Object.entries(node.inputs)) node.inputs[name] = current(value);
    const operands = Object.entries(node.inputs).map(([name, value]) => name + identity(value));
    const key = `${node.kernel}(${operands.join()})${JSON.stringify(node.attributes)}`;
    const twin = known.get(key);
    if (twin === undefined) {
      known.set(key, node);
      nodes.push(node);
    } else {
      node.outputs.forEach((value, index) => replaced.set(value.id, twin.outputs[index]));
    }
  }
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: current(value) }));
  return { ...graph, nodes, outputs };
}

/** Equal for values that are surely the same: the same value, or fills of the same number. */
function identity(value: KernelValue): string {
  if (value.source.kind !== "fill") return `#${value.id}`;
  return `${value.dtype}[${value.shape}]=${value.source.value}`;
}

/** How many times each value is read by nodes and outputs, by its id. */
export function countUses(graph: KernelGraph): Map<number, number> {
  const uses = new Map<number, number>();
  const add = ({ id }: KernelValue) => uses.set(id, (uses.get(id) ?? 0) + 1);
  for (const node of graph.nodes) Object.values(node.inputs).forEach(add);
  for (const { value } of graph.outputs) add(value);
  return uses;
}
