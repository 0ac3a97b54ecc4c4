/** Collects the nodes of a graph for any lengths, and writes the nodes that compute lengths at run time. */
import { elementCount } from "../../bytes.ts";
import {
  DATA_TYPES,
  type OnnxAttribute,
  type OnnxDim,
  type OnnxGraph,
  type OnnxNode,
  type OnnxTensor,
  type OnnxType,
  type OnnxValueInfo,
} from "../onnx_graph.ts";
import { type Formula, isFixed, type Length, LengthTable, type Source } from "./sizes.ts";

/** What {@linkcode OpenGraph.add} needs. */
export interface NewNode {
  op: string;
  inputs: string[];
  attributes?: Record<string, OnnxAttribute>;
  /** The type of what it gives. */
  dtype: OnnxType;
  /** The shape of what it gives. */
  dims: OnnxDim[];
}

/** The graph that comes about. */
export class OpenGraph {
  /** In the order in which they run. */
  readonly nodes: OnnxNode[] = [];
  /** Where lengths can be read. */
  readonly lengths = new LengthTable();
  readonly #base: OnnxGraph;
  readonly #initializers: OnnxTensor[];
  readonly #values: OnnxValueInfo[] = [];
  readonly #constants = new Map<string, string>();
  readonly #read = new Map<string, string>();
  readonly #computed = new Map<string, string>();
  readonly #taken: Set<string>;

  /** Starts with the constants of `base`. */
  constructor(base: OnnxGraph) {
    this.#base = base;
    this.#initializers = [...base.initializers];
    this.#taken = new Set([
      ...base.initializers.map(({ name }) => name),
      ...base.inputs.map(({ name }) => name),
      ...base.nodes.flatMap(({ name, outputs }) => [name ?? "", ...outputs]),
    ]);
  }

  /** Adds a node for another one. @returns the name of what it gives */
  add(near: OnnxNode, { op, inputs, attributes, dtype, dims }: NewNode): string {
    const name = this.#freshName(`${near.name}/${op}`);
    this.nodes.push({ op, inputs, outputs: [name], attributes, name });
    this.#values.push({ name, dtype, dims });
    return name;
  }

  /** A constant vector of whole numbers. */
  integers(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.#constant({ dtype: "int64", dims: [values.length], data });
  }

  /** A constant of one float32 number. */
  float(value: number, dims: number[] = []): string {
    return this.#constant({ dtype: "float32", dims, data: Float32Array.of(value) });
  }

  /** The sum, the product, ... of two int64 vectors of one number. */
  arithmetic(near: OnnxNode, op: string, a: string, b: string | number): string {
    const inputs = [a, typeof b === "number" ? this.integers([b]) : b];
    return this.add(near, { op, inputs, dtype: "int64", dims: [1] });
  }

  /** An int64 vector of one length, computed at run time. @returns its name, or null without a formula */
  length(near: OnnxNode, length: Length): string | null {
    if (isFixed(length)) return this.integers([length[0]]);
    const key = length.join();
    const known = this.#computed.get(key);
    if (known !== undefined) return known;
    const formula = this.lengths.find(length);
    if (formula === null) return null;
    const name = this.#write(near, formula);
    this.#computed.set(key, name);
    return name;
  }

  /**
   * An int64 vector of several lengths.
   * @param known those that need not be computed
   * @returns its name, or which one has no formula
   */
  vector(
    near: OnnxNode,
    lengths: readonly Length[],
    known: readonly (number | null)[],
  ): string | { failed: number } {
    if (known.every((value) => value !== null)) return this.integers(known as number[]);
    const parts: string[] = [];
    let fixed: number[] = [];
    const flush = () => {
      if (fixed.length > 0) parts.push(this.integers(fixed));
      fixed = [];
    };
    for (const [index, length] of lengths.entries()) {
      const value = known[index];
      if (value !== null) {
        fixed.push(value);
        continue;
      }
      flush();
      const name = this.length(near, length);
      if (name === null) return { failed: index };
      parts.push(name);
    }
    flush();
    return this.concatenated(near, parts, lengths.length);
  }

  /** Vectors behind each other. */
  concatenated(near: OnnxNode, parts: string[], count: number): string {
    if (parts.length === 1) return parts[0];
    const dims = [count];
    return this.add(near, {
      op: "Concat",
      inputs: parts,
      attributes: { axis: 0 },
      dtype: "int64",
      dims,
    });
  }

  /** A number of any type that follows from lengths, in the shape of `like`. */
  scalar(near: OnnxNode, values: readonly number[], like: OnnxTensor): string | null {
    const { dtype } = like;
    const dims = [...like.dims];
    const cast = (name: string) =>
      this.add(near, {
        op: "Cast",
        inputs: [name],
        attributes: { to: DATA_TYPES[dtype] },
        dtype,
        dims: [1],
      });
    const shaped = (name: string) =>
      dims.length === 1
        ? name
        : this.add(near, { op: "Reshape", inputs: [name, this.integers(dims)], dtype, dims });
    const isWhole = values.every((value) => Number.isInteger(value) && value > 0);
    const whole = isWhole ? this.length(near, values) : null;
    if (whole !== null) return shaped(dtype === "int64" ? whole : cast(whole));
    if (dtype !== "float32") return null;
    const real = this.lengths.findReal(values);
    if (real === null) return null;
    const length = cast(this.length(near, real.of)!);
    const factor = this.float(real.factor, [1]);
    const op = real.isInverse ? "Div" : "Mul";
    const inputs = real.isInverse ? [factor, length] : [length, factor];
    return shaped(this.add(near, { op, inputs, dtype, dims: [1] }));
  }

  /** Ends the graph. @param values shapes of the values of the base */
  finish(
    inputs: OnnxValueInfo[],
    outputs: OnnxValueInfo[],
    values: OnnxValueInfo[],
  ): OnnxGraph {
    const used = new Set(this.nodes.flatMap((node) => node.inputs));
    return {
      ...this.#base,
      nodes: this.nodes,
      inputs,
      outputs,
      initializers: this.#initializers.filter(({ name }) => used.has(name)),
      values: [...values, ...this.#values],
    };
  }

  #write(near: OnnxNode, formula: Formula): string {
    if (formula.kind === "quotient") {
      const { source, before, divisor } = formula;
      const name = this.#readLength(near, source);
      const sum = before === 0 ? name : this.arithmetic(near, "Add", name, before);
      return this.arithmetic(near, "Div", sum, divisor);
    }
    const { sources, numerator, denominator, offset } = formula;
    let name = sources.map((source) => this.#readLength(near, source))
      .reduce((a, b) => this.arithmetic(near, "Mul", a, b));
    if (numerator !== 1) name = this.arithmetic(near, "Mul", name, numerator);
    if (denominator !== 1) name = this.arithmetic(near, "Div", name, denominator);
    return offset === 0 ? name : this.arithmetic(near, "Add", name, offset);
  }

  #readLength(near: OnnxNode, { value, axis }: Source): string {
    const key = `${value}:${axis}`;
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const rank = this.#rankOf(value);
    // Not Shape's own start and end, which opset 15 brought.
    const shape = this.#read.get(value) ??
      this.add(near, { op: "Shape", inputs: [value], dtype: "int64", dims: [rank] });
    this.#read.set(value, shape);
    const name = this.add(near, {
      op: "Gather",
      inputs: [shape, this.integers([axis])],
      attributes: { axis: 0 },
      dtype: "int64",
      dims: [1],
    });
    this.#read.set(key, name);
    return name;
  }

  #rankOf(value: string): number {
    const infos = [...this.#base.inputs, ...this.#base.values ?? [], ...this.#base.outputs];
    return infos.find(({ name }) => name === value)!.dims!.length;
  }

  #constant({ dtype, dims, data }: Omit<OnnxTensor, "name">): string {
    if (data instanceof DataView) throw new TypeError("Constants are typed arrays");
    const values = Array.from(data as Float32Array, String);
    const key = `${dtype}[${dims}]${values.join()}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.#freshName(elementCount(dims) === 1 ? "number" : "shape");
    this.#initializers.push({ name, dtype, dims, data });
    this.#constants.set(key, name);
    return name;
  }

  #freshName(base: string): string {
    let name = base;
    for (let count = 1; this.#taken.has(name); count++) name = `${base}_${count}`;
    this.#taken.add(name);
    return name;
  }
}
