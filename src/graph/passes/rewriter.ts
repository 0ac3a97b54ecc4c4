/**
 * The workbench of the export's passes: walks a kernel graph once, in order, and writes a new list of
 * kernels. What a pass replaces stays in the list; what nobody reads then is removed at the end.
 */
import {
  type ConstantData,
  type KernelGraph,
  type KernelNode,
  type KernelType,
  type KernelValue,
  sameNumbers,
} from "../trace/kernel_graph.ts";
import { countUses, removeDeadCode } from "../trace/passes.ts";

/** A kernel to add. */
export interface NewKernel {
  kernel: string;
  inputs: Record<string, KernelValue>;
  attributes?: KernelNode["attributes"];
  /** The shape of its one output. */
  shape: readonly number[];
  dtype?: KernelType;
  /** The layer that it belongs to. */
  scope: string;
}

/** Rewrites one graph. */
export class GraphRewriter {
  readonly #graph: KernelGraph;
  readonly #nodes: KernelNode[] = [];
  readonly #uses: Map<number, number>;
  readonly #replaced = new Map<number, KernelValue>();
  #nextId: number;

  constructor(graph: KernelGraph) {
    this.#graph = graph;
    this.#uses = countUses(graph);
    const values = [
      ...graph.inputs.map(({ value }) => value),
      ...graph.nodes.flatMap(({ inputs, outputs }) => [...Object.values(inputs), ...outputs]),
      ...graph.outputs.map(({ value }) => value),
    ];
    this.#nextId = 1 + values.reduce((largest, { id }) => Math.max(largest, id), 0);
  }

  /** What stands for a value of the old graph now. */
  current(value: KernelValue): KernelValue {
    return this.#replaced.get(value.id) ?? value;
  }

  /** How many kernels and outputs read a value, or what it was replaced by. */
  useCount(value: KernelValue): number {
    return this.#uses.get(value.id) ?? 0;
  }

  /** Keeps a kernel of the old graph, reading what its inputs were replaced by. */
  keep(node: KernelNode): void {
    for (const [name, value] of Object.entries(node.inputs)) {
      node.inputs[name] = this.current(value);
    }
    this.#nodes.push(node);
  }

  /** Adds a kernel. @returns its output, which is to be read once */
  add(
    { kernel, inputs, attributes = {}, shape, dtype = "float32", scope }: NewKernel,
  ): KernelValue {
    const node: KernelNode = { kernel, inputs, attributes, outputs: [], scope };
    const value: KernelValue = {
      id: this.#nextId++,
      shape: [...shape],
      dtype,
      source: { kind: "kernel", node, index: 0 },
    };
    node.outputs = [value];
    this.#nodes.push(node);
    this.#uses.set(value.id, 1);
    return value;
  }

  /** Makes a constant. @param label a readable name */
  constant(data: ConstantData, shape: readonly number[], label?: string): KernelValue {
    const dtype = data instanceof Float32Array
      ? "float32"
      : data instanceof Int32Array
      ? "int32"
      : "bool";
    const source = { kind: "constant" as const, data, label };
    return { id: this.#nextId++, shape: [...shape], dtype, source };
  }

  /** The same elements under another shape. */
  reshape(value: KernelValue, shape: readonly number[], scope: string): KernelValue {
    if (sameNumbers(value.shape, shape)) return value;
    const { source, dtype } = value;
    if (source.kind === "constant" || source.kind === "fill") {
      return { id: this.#nextId++, shape: [...shape], dtype, source };
    }
    const attributes = { shape: [...shape] };
    return this.add({ kernel: "Reshape", inputs: { x: value }, attributes, shape, dtype, scope });
  }

  /** Lets everything that follows read `by` instead of a value of the old graph. */
  replace(value: KernelValue, by: KernelValue): void {
    this.#replaced.set(value.id, by);
    this.#uses.set(by.id, this.useCount(value));
  }

  /** The new graph, without what nobody reads. */
  finish(): KernelGraph {
    const outputs = this.#graph.outputs.map(({ name, value }) => ({
      name,
      value: this.current(value),
    }));
    return removeDeadCode({ ...this.#graph, nodes: this.#nodes, outputs });
  }
}
