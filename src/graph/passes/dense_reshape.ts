/**
 * `dense -> reshape [h, w, c]`: the file's images are `[c, h, w]`, so the elements would have to be moved
 * at each run. Instead the dense layer's weights are put into another order, once, and whatever lies
 * between the two follows.
 */
import { elementCount } from "../../bytes.ts";
import { arrange, permuteData } from "../lower/layout.ts";
import {
  constantData,
  type KernelGraph,
  type KernelNode,
  type KernelValue,
  producerOf,
} from "../trace/kernel_graph.ts";
import { addLinear, constantLabel, readLinear } from "./linear.ts";
import { GraphRewriter } from "./rewriter.ts";

/** Kernels that treat each element by itself. */
const ELEMENTWISE = new Set(
  [
    "Abs Acos Acosh Add AddN Asin Asinh Atan Atanh Cast Ceil ClipByValue Cos Cosh Elu Equal Erf Exp Expm1",
    "Floor FloorDiv Greater GreaterEqual IsFinite IsInf IsNan LeakyRelu Less LessEqual Log Log1p",
    "LogicalAnd LogicalNot LogicalOr Maximum Minimum Mod Multiply Neg NotEqual Pow Prelu RealDiv",
    "Reciprocal Relu Relu6 Round Rsqrt Select Selu Sigmoid Sign Sin Sinh Softplus Sqrt Square",
    "SquaredDifference Step Sub Tan Tanh",
  ].join(" ").split(" "),
);

/** Kernels that give the same whatever the order of what they combine, and their name for the axes. */
const SYMMETRIC: Record<string, string> = {
  Max: "reductionIndices",
  Mean: "axis",
  Min: "axis",
  Prod: "axis",
  Sum: "axis",
};

/** Runs the pass. */
export function permuteDenseWeights(graph: KernelGraph): KernelGraph {
  const rewriter = new GraphRewriter(graph);
  for (const node of graph.nodes) {
    rewriter.keep(node);
    const permuted = permuteReshape(rewriter, node);
    if (permuted !== null) rewriter.replace(node.outputs[0], permuted);
  }
  return rewriter.finish();
}

/** The reshape with its input in the order of channels, or null where there is nothing to gain. */
function permuteReshape(rewriter: GraphRewriter, node: KernelNode): KernelValue | null {
  if (node.kernel !== "Reshape") return null;
  const { x } = node.inputs;
  const [{ shape }] = node.outputs;
  if (x.shape.length !== 2 || shape.length !== 4 || x.shape[0] !== shape[0]) return null;
  const [batch, height, width, channels] = shape;
  if (height * width === 1 || channels === 1) return null;
  const region = new Region(rewriter, [height, width, channels]);
  const moved = region.permuted(x);
  if (moved === null) return null;
  const planar = rewriter.add({
    kernel: "Reshape",
    inputs: { x: moved },
    attributes: { shape: [batch, channels, height, width] },
    shape: [batch, channels, height, width],
    scope: node.scope,
  });
  return rewriter.add({
    kernel: "Transpose",
    inputs: { x: planar },
    attributes: { perm: [0, 2, 3, 1] },
    shape,
    scope: node.scope,
  });
}

/** What lies between dense layers and a reshape. */
class Region {
  readonly #rewriter: GraphRewriter;
  /** `[height, width, channels]` */
  readonly #image: number[];
  readonly #size: number;
  readonly #known = new Map<number, KernelValue | null>();

  constructor(rewriter: GraphRewriter, image: number[]) {
    this.#rewriter = rewriter;
    this.#image = image;
    this.#size = elementCount(image);
  }

  /** The value with its last axis in the order `[c, h, w]`, or null where that takes a transposition. */
  permuted(value: KernelValue): KernelValue | null {
    const known = this.#known.get(value.id);
    if (known !== undefined) return known;
    const result = this.#permute(value);
    this.#known.set(value.id, result);
    return result;
  }

  #permute(value: KernelValue): KernelValue | null {
    const { shape, dtype } = value;
    const node = producerOf(value);
    const isNarrow = (shape.at(-1) ?? 1) === 1;
    if (node === undefined) {
      if (isNarrow) return value;
      return this.#permuteConstant(value);
    }
    if (isNarrow) return this.#permuteReduction(value, node) ?? value;
    if (shape.at(-1) !== this.#size) return null;
    const linear = readLinear(value);
    if (linear?.inputName === "a") {
      const bias = linear.bias && this.#reorder(Float32Array.from(linear.bias), 1);
      return addLinear(this.#rewriter, linear, {
        data: this.#reorder(linear.data, linear.data.length / this.#size),
        bias: bias && Float64Array.from(bias),
      });
    }
    if (!ELEMENTWISE.has(node.kernel)) return null;
    return this.#rebuild(value, node, dtype);
  }

  /** One number a sample that is computed from permuted ones: in any order, but from the new ones. */
  #permuteReduction(value: KernelValue, node: KernelNode): KernelValue | null {
    const axisName = SYMMETRIC[node.kernel];
    if (axisName === undefined) {
      return ELEMENTWISE.has(node.kernel) ? this.#rebuild(value, node, value.dtype) : null;
    }
    const axes = [node.attributes[axisName]].flat();
    const { x } = node.inputs;
    const isLast = axes.length === 1 && (axes[0] === -1 || axes[0] === x.shape.length - 1);
    if (!isLast || !node.attributes.keepDims) return null;
    return this.#rebuild(value, node, value.dtype);
  }

  #rebuild(value: KernelValue, node: KernelNode, dtype: KernelValue["dtype"]): KernelValue | null {
    const inputs: Record<string, KernelValue> = {};
    for (const [name, input] of Object.entries(node.inputs)) {
      const moved = this.permuted(input);
      if (moved === null) return null;
      inputs[name] = moved;
    }
    const { kernel, attributes, scope } = node;
    return this.#rewriter.add({ kernel, inputs, attributes, shape: value.shape, dtype, scope });
  }

  #permuteConstant(value: KernelValue): KernelValue | null {
    if (value.source.kind === "fill") return value;
    const data = constantData(value);
    if (data === undefined || value.shape.at(-1) !== this.#size) return null;
    const reordered = this.#reorder(data, data.length / this.#size);
    return this.#rewriter.constant(reordered, value.shape, constantLabel(value));
  }

  /** Puts rows of `[h, w, c]` into the order `[c, h, w]`. */
  #reorder<T extends Float32Array | Int32Array | Uint8Array>(data: T, rows: number): T {
    const order = [0, 3, 1, 2];
    const shape = [rows, ...this.#image];
    return elementCount(arrange(shape, order)) === data.length
      ? permuteData(data, shape, order)
      : data;
  }
}
