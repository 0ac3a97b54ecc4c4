/**
 * The workbench of the lowering: for each value of the kernel graph it knows the ONNX value that stands
 * for it and in which layout that lies in memory. The rules for kernels (the other files of this
 * folder) are written with its methods.
 */
import { elementCount } from "../../bytes.ts";
import type { OnnxAttribute } from "../onnx_graph.ts";
import {
  type ConstantData,
  type KernelGraph,
  type KernelNode,
  type KernelType,
  type KernelValue,
  newData,
  sameNumbers,
} from "../trace/kernel_graph.ts";
import { countUses } from "../trace/passes.ts";
import { broadcastShapes } from "../trace/shape_rule.ts";
import { arrange, isIdentityOrder, permuteData, range, reshapeOrder } from "./layout.ts";
import { OnnxBuilder } from "./onnx_builder.ts";

/** An ONNX value, or one that can be written when it is needed. */
export interface Lowered {
  /** As the kernel graph sees it. */
  readonly shape: readonly number[];
  /** In the same order of axes; 1 where the tensor is constant along an axis and not yet expanded. */
  readonly stored: readonly number[];
  /** The layout: physical axis k is logical axis `order[k]`. */
  readonly order: readonly number[];
  /** The type of an element. */
  readonly dtype: KernelType;
  /** The ONNX value, in physical order. Constants have none until they are used. */
  readonly name?: string;
  /** A constant's elements, of shape `stored` in logical order. */
  readonly data?: ConstantData;
  /** A constant's readable name. */
  readonly label?: string;
  /** The number that fills a constant. */
  readonly fill?: number;
}

/** How the graph is written. */
export interface LowerOptions {
  /** The version of ONNX's operators. Default 17. */
  opset?: number;
  /**
   * The lengths that stand for axes of any size in this trace, such as the batch size, and those that
   * follow from them: no constant is written out along them. See src/graph/open.
   */
  openLengths?: ReadonlySet<number>;
  /** Allow `com.microsoft` operators, which only ONNX Runtime knows. Default false. */
  contrib?: boolean;
}

/** Translates one kernel. */
export type LoweringRule = (lowering: Lowering, node: KernelNode) => Lowered | Lowered[];

/** Builds the ONNX graph, kernel by kernel. */
export class Lowering {
  /** Collects the ONNX nodes. */
  readonly builder: OnnxBuilder;
  /** The version of ONNX's operators. */
  readonly opset: number;
  /** Whether operators that only ONNX Runtime knows are allowed. */
  readonly contrib: boolean;
  /** For each ONNX value that had to be transposed, the first layout that it was wanted in. */
  readonly transposedTo = new Map<string, readonly number[]>();
  readonly #lowered = new Map<number, Lowered>();
  readonly #moved = new Map<string, string>();
  readonly #openLengths: ReadonlySet<number>;
  readonly #useCounts: Map<number, number>;
  /** The initializers that hold a constant, by layout. */
  readonly #written = new Map<ConstantData, Map<string, string>>();

  /** Starts with nothing lowered. */
  constructor(graph: KernelGraph, options: LowerOptions) {
    this.opset = options.opset ?? 17;
    this.contrib = options.contrib ?? false;
    this.builder = new OnnxBuilder();
    this.#openLengths = options.openLengths ?? new Set();
    this.#useCounts = countUses(graph);
  }

  /** @throws {RangeError} if the file is of an older version of ONNX's operators */
  requireOpset(first: number, { kernel }: KernelNode): void {
    if (this.opset >= first) return;
    throw new RangeError(`Cannot write ${kernel} in opset ${this.opset}: ${first} has it`);
  }

  /** Says which ONNX value stands for a value of the kernel graph. */
  define(value: KernelValue, lowered: Lowered): void {
    this.#lowered.set(value.id, this.described(lowered));
  }

  /** Tells the builder the type and shape of a value, which the file states. */
  described(lowered: Lowered): Lowered {
    const { name, dtype } = lowered;
    if (name !== undefined) this.builder.describe(name, dtype, this.dims(lowered));
    return lowered;
  }

  /** Whether something stands for a value already. */
  has(value: KernelValue): boolean {
    return this.#lowered.has(value.id);
  }

  /** What stands for a value of the kernel graph. */
  value(value: KernelValue): Lowered {
    const known = this.#lowered.get(value.id);
    if (known !== undefined) return known;
    const { shape, dtype, source } = value;
    if (source.kind === "fill") return constantFill(source.value, shape, dtype);
    if (source.kind !== "constant") throw new Error(`Value ${value.id} was not lowered`);
    const lowered: Lowered = {
      shape,
      stored: shape,
      order: range(shape.length),
      dtype,
      data: source.data,
      label: source.label,
    };
    this.#lowered.set(value.id, lowered);
    return lowered;
  }

  /** An input of a kernel. */
  input(node: KernelNode, name: string): Lowered {
    const value = node.inputs[name];
    if (value === undefined) throw new Error(`${node.kernel} has no input ${name}`);
    return this.value(value);
  }

  /** How many kernels and outputs read a value. */
  useCount(value: KernelValue): number {
    return this.#useCounts.get(value.id) ?? 0;
  }

  /** The name of the ONNX value; writes constants. @param hint a readable name for a new constant */
  name(x: Lowered, hint?: string): string {
    if (x.name !== undefined) return x.name;
    const { scope } = this.builder;
    const label = x.label ?? (hint && scope ? `${scope}.${hint}` : hint);
    const dims = arrange(x.stored, x.order);
    if (x.fill !== undefined) {
      return this.builder.constant(newData(x.dtype, 1).fill(x.fill), dims, x.dtype, label);
    }
    const key = `${dims}:${x.order}`;
    const written = this.#written.get(x.data!) ?? new Map<string, string>();
    this.#written.set(x.data!, written);
    let name = written.get(key);
    if (name === undefined) {
      name = this.builder.constant(permuteData(x.data!, x.stored, x.order), dims, x.dtype, label);
      written.set(key, name);
    }
    return name;
  }

  /** The physical dimensions. */
  dims(x: Lowered): number[] {
    return arrange(x.stored, x.order);
  }

  /** A new ONNX value. */
  made(
    name: string,
    shape: readonly number[],
    order: readonly number[] = range(shape.length),
    dtype: KernelType = "float32",
  ): Lowered {
    return this.described({ name, shape, stored: shape, order, dtype });
  }

  /** The same tensor in another layout. Axes that were not expanded stay so. */
  arranged(x: Lowered, order: readonly number[]): Lowered {
    if (sameNumbers(x.order, order)) return x;
    if (x.name === undefined) return { ...x, order };
    const dims = arrange(x.stored, order);
    const key = `${x.name}:${x.order}:${order}`;
    let name = this.#moved.get(key);
    if (name === undefined) {
      // Axes of length 1 may go anywhere: a reshape, which costs nothing.
      const longAxes = (axes: readonly number[]) => axes.filter((axis) => x.stored[axis] !== 1);
      if (sameNumbers(longAxes(order), longAxes(x.order))) {
        name = this.builder.reshape(x.name, this.dims(x), dims);
      } else {
        if (!this.transposedTo.has(x.name)) this.transposedTo.set(x.name, order);
        name = this.builder.emit("Transpose", [x.name], {
          perm: order.map((axis) => x.order.indexOf(axis)),
        });
      }
      this.#moved.set(key, name);
    }
    return this.described({ ...x, order, name });
  }

  /** The same tensor with physical axes in logical order. */
  plain(x: Lowered): Lowered {
    return this.arranged(x, range(x.shape.length));
  }

  /** The same tensor with all axes expanded. */
  expanded(x: Lowered): Lowered {
    if (sameNumbers(x.shape, x.stored)) return x;
    const dims = this.builder.integers(arrange(x.shape, x.order));
    const name = this.builder.emit("Expand", [this.name(x), dims]);
    return this.made(name, x.shape, x.order, x.dtype);
  }

  /** The same for a weight or a bias: a constant of one number is written out, so that no node has to. */
  weight(x: Lowered): Lowered {
    if (x.fill === undefined || this.isOpen(x.shape)) return this.expanded(x);
    const data = newData(x.dtype, elementCount(x.shape)).fill(x.fill);
    return { shape: x.shape, stored: x.shape, order: x.order, dtype: x.dtype, data };
  }

  /** Whether one of the dimensions stands for any length. */
  isOpen(dims: readonly number[]): boolean {
    return dims.some((dim) => this.#openLengths.has(dim));
  }

  /** The same tensor with axes of length 1 put in front. */
  lifted(x: Lowered, rank: number): Lowered {
    const extra = rank - x.shape.length;
    if (extra === 0) return x;
    const ones = Array<number>(extra).fill(1);
    const lifted = {
      ...x,
      shape: [...ones, ...x.shape],
      stored: [...ones, ...x.stored],
      order: [...range(extra), ...x.order.map((axis) => axis + extra)],
    };
    if (x.name === undefined) return lifted;
    const name = this.builder.reshape(x.name, this.dims(x), this.dims(lifted));
    return this.described({ ...lifted, name });
  }

  /** Reshapes, without moving elements where the layout allows it. */
  reshaped(x: Lowered, shape: readonly number[]): Lowered {
    if (sameNumbers(x.shape, shape)) return x;
    if (x.fill !== undefined) return constantFill(x.fill, shape, x.dtype);
    const full = this.expanded(x);
    if (full.name === undefined) {
      return { ...full, shape, stored: shape, order: range(shape.length) };
    }
    const order = reshapeOrder(full.shape, full.order, shape);
    const source = order === null ? this.plain(full) : full;
    const target = order ?? range(shape.length);
    const dims = arrange(shape, target);
    const name = this.builder.reshape(source.name!, this.dims(source), dims);
    return this.made(name, shape, target, x.dtype);
  }

  /** Applies an operation to each element. */
  unary(
    op: string,
    x: Lowered,
    attributes?: Record<string, OnnxAttribute>,
    dtype: KernelType = x.dtype,
  ): Lowered {
    const { shape, stored, order } = x;
    const name = this.builder.emit(op, [this.name(x)], attributes);
    return this.described({ shape, stored, order, dtype, name });
  }

  /** Converts elements to another type. */
  cast(x: Lowered, dtype: KernelType): Lowered {
    if (x.dtype === dtype) return x;
    const to = { float32: 1, int32: 6, bool: 9 }[dtype];
    return this.unary("Cast", x, { to }, dtype);
  }

  /** Applies an operation to the elements of broadcast tensors, in the layout of the first that has one. */
  elementwise(op: string, operands: Lowered[], dtype: KernelType = operands[0].dtype): Lowered {
    const rank = Math.max(...operands.map(({ shape }) => shape.length));
    const isAnchor = (x: Lowered) => x.shape.length === rank && x.fill === undefined;
    const anchored = operands.some(isAnchor);
    const padded = operands.map((x) => {
      const ones = Array<number>(rank - x.shape.length).fill(1);
      return { ...x, shape: [...ones, ...x.shape], stored: [...ones, ...x.stored] };
    });
    // One element broadcasts as it is, whatever its rank, where another operand has the full rank.
    const lifted = operands.map((x) => anchored && isSingle(x) ? x : this.lifted(x, rank));
    const order = commonOrder(lifted.filter((x) => x.shape.length === rank));
    const names = lifted.map((x) => {
      if (!anchored || !isSingle(x)) return this.name(this.arranged(x, order));
      return this.name(x.fill === undefined ? x : constantFill(x.fill, [], x.dtype));
    });
    return this.described({
      shape: padded.map(({ shape }) => shape).reduce(broadcastShapes),
      stored: padded.map(({ stored }) => stored).reduce(broadcastShapes),
      order,
      dtype,
      name: this.builder.emit(op, names),
    });
  }
}

/** Whether a tensor is stored as one element. */
function isSingle(x: Lowered): boolean {
  return x.stored.every((dim) => dim === 1);
}

/** The layout in which to combine tensors: the first that is not the plain one, else plain. */
export function commonOrder(operands: readonly Lowered[]): readonly number[] {
  const rank = operands[0].shape.length;
  const bound = operands.filter((x) =>
    x.name !== undefined && x.stored.filter((dim) => dim !== 1).length > 1
  );
  return bound.find(({ order }) => !isIdentityOrder(order))?.order ?? range(rank);
}

/** A constant filled with one number. */
export function constantFill(
  fill: number,
  shape: readonly number[],
  dtype: KernelType = "float32",
): Lowered {
  return { shape, stored: shape.map(() => 1), order: range(shape.length), dtype, fill };
}
