/**
 * Collects ONNX nodes and constants: gives names, writes each small constant once, and keeps chains of
 * reshapes short. Knows nothing of kernels and layouts.
 */
import type {
  OnnxAttribute,
  OnnxGraph,
  OnnxNode,
  OnnxTensor,
  OnnxType,
  OnnxValueInfo,
} from "../onnx_graph.ts";
import { sameNumbers } from "../trace/kernel_graph.ts";

/** Options of one emitted node. */
export interface EmitOptions {
  /** Operator set; empty for the standard one. */
  domain?: string;
  /** How many outputs there are. Default 1. */
  outputs?: number;
}

/** Constants of up to this many elements are shared by content. */
const SHARED_ELEMENTS = 64;

/** Collects the parts of a graph. */
export class OnnxBuilder {
  /** Prefixed to the names of new nodes, such as the layer's name. */
  scope = "";
  readonly #nodes: OnnxNode[] = [];
  readonly #initializers = new Map<string, OnnxTensor>();
  readonly #sharedConstants = new Map<string, string>();
  readonly #taken = new Map<string, number>();
  /** Types and shapes of values, where they are known. */
  readonly #described = new Map<string, OnnxValueInfo>();
  /** For a reshape's output, what it reshaped. */
  readonly #reshaped = new Map<string, { name: string; dims: readonly number[] }>();
  /** The reshapes that there are, by input and target. */
  readonly #reshapes = new Map<string, string>();

  /** A name that nothing else has: the base itself, or with a number behind it. */
  freshName(base: string): string {
    const count = this.#taken.get(base) ?? 0;
    this.#taken.set(base, count + 1);
    return count === 0 ? base : this.freshName(`${base}_${count}`);
  }

  /** Appends a node. @returns its first output's name */
  emit(
    op: string,
    inputs: string[],
    attributes?: Record<string, OnnxAttribute>,
    options: EmitOptions = {},
  ): string {
    return this.emitAll(op, inputs, attributes, options)[0];
  }

  /** Appends a node. @returns the names of all its outputs */
  emitAll(
    op: string,
    inputs: string[],
    attributes?: Record<string, OnnxAttribute>,
    options: EmitOptions = {},
  ): string[] {
    const name = this.freshName(this.scope === "" ? op : `${this.scope}/${op}`);
    const count = options.outputs ?? 1;
    const outputs = Array.from(
      { length: count },
      (_, index) => count === 1 ? name : `${name}:${index}`,
    );
    this.#nodes.push({ op, inputs, outputs, attributes, name, domain: options.domain });
    return outputs;
  }

  /** Appends a constant. Small ones with the same content are shared. @param hint a readable name */
  constant(
    data: OnnxTensor["data"] & ArrayLike<number | bigint>,
    dims: readonly number[],
    dtype: OnnxType,
    hint = "constant",
  ): string {
    if (data.length > SHARED_ELEMENTS) return this.#addInitializer(data, dims, dtype, hint);
    const key = `${dtype}[${dims}]${Array.from(data, describe).join()}`;
    const shared = this.#sharedConstants.get(key);
    if (shared !== undefined) return shared;
    const name = this.#addInitializer(data, dims, dtype, hint);
    this.#sharedConstants.set(key, name);
    return name;
  }

  /** A list of int64 numbers. */
  integers(values: readonly number[]): string {
    return this.constant(BigInt64Array.from(values, BigInt), [values.length], "int64", "shape");
  }

  /** A float32 scalar. */
  float(value: number): string {
    return this.constant(Float32Array.of(value), [], "float32", "number");
  }

  /** Reshapes; a reshape of a reshape starts from the first one's input. */
  reshape(name: string, from: readonly number[], to: readonly number[]): string {
    const base = this.#reshaped.get(name) ?? { name, dims: from };
    if (sameNumbers(base.dims, to)) return base.name;
    const key = `${base.name}:${to}`;
    const known = this.#reshapes.get(key);
    if (known !== undefined) return known;
    const result = this.emit("Reshape", [base.name, this.integers(to)]);
    this.#reshapes.set(key, result);
    this.#reshaped.set(result, base);
    return result;
  }

  /** Notes the type and the (physical) shape of a value, for the file. */
  describe(name: string, dtype: OnnxType, dims: readonly number[]): void {
    this.#described.set(name, { name, dtype, dims: [...dims] });
  }

  /** Ends the graph: leaves out what no output needs, and gives outputs their names. */
  finish(
    name: string,
    inputs: OnnxValueInfo[],
    outputs: { from: string; info: OnnxValueInfo }[],
  ): OnnxGraph {
    const nodes = this.#nameOutputs(outputs.map(({ from, info }) => [from, info.name]));
    const needed = new Set(outputs.map(({ info }) => info.name));
    const live: OnnxNode[] = [];
    for (const node of nodes.reverse()) {
      if (!node.outputs.some((output) => needed.has(output))) continue;
      live.push(node);
      node.inputs.forEach((input) => needed.add(input));
    }
    const made = live.reverse().flatMap((node) => node.outputs);
    return {
      name,
      nodes: live,
      inputs,
      outputs: outputs.map(({ info }) => info),
      initializers: [...this.#initializers.values()].filter((tensor) => needed.has(tensor.name)),
      values: made.flatMap((output) => this.#described.get(output) ?? []),
    };
  }

  /** Renames values to outputs where a node makes them, and copies the others. */
  #nameOutputs(pairs: (readonly [from: string, to: string])[]): OnnxNode[] {
    const made = new Set(this.#nodes.flatMap((node) => node.outputs));
    const renamed = new Map<string, string>();
    const copies: OnnxNode[] = [];
    for (const [from, to] of pairs) {
      if (made.has(from) && !renamed.has(from)) renamed.set(from, to);
      else copies.push({ op: "Identity", inputs: [from], outputs: [to], name: `${to}/copy` });
    }
    const rename = (name: string) => renamed.get(name) ?? name;
    return [...this.#nodes, ...copies].map((node) => ({
      ...node,
      inputs: node.inputs.map(rename),
      outputs: node.outputs.map(rename),
    }));
  }

  #addInitializer(
    data: OnnxTensor["data"],
    dims: readonly number[],
    dtype: OnnxType,
    hint: string,
  ): string {
    const name = this.freshName(hint);
    this.#initializers.set(name, { name, dtype, dims: [...dims], data });
    return name;
  }
}

/** A number as text that distinguishes -0 from 0. */
function describe(value: number | bigint): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
