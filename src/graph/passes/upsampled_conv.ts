/**
 * A convolution of an image that was enlarged `f` times by copying pixels is a transposed convolution
 * of the small image with stride `f`: each small pixel reaches `k + f - 1` output pixels, through sums
 * of the taps that its copies meet. For a 3x3 kernel and f = 2 that is 16 products instead of 36.
 *
 * With taps `w[d]`, copies `e` and padding `p`, small pixel `i` adds to output `f i + e - d + p`. So
 *
 *     V[t] = sum_e w[e + k - 1 - t],   t = 0 ... k + f - 2,   padding k - 1 - p
 *
 * is the transposed convolution's kernel: w with f - 1 zeros around it, summed over f shifts, and
 * turned by 180 degrees. The gradients follow: with respect to the input a convolution with V, with
 * respect to w the adjoint of w -> V applied to V's gradient.
 */
import { flagAttribute } from "../trace/attributes.ts";
import {
  type KernelGraph,
  type KernelNode,
  type KernelValue,
  producerOf,
} from "../trace/kernel_graph.ts";
import { convolutionInfo } from "../trace/shape_rules_image.ts";
import { GraphRewriter } from "./rewriter.ts";

/** Runs the pass. It pays where weights are not constant: the sums of taps are made at each run. */
export function mergeUpsampledConvolutions(graph: KernelGraph): KernelGraph {
  const rewriter = new GraphRewriter(graph);
  const kernels = new SummedKernels(rewriter);
  for (const node of graph.nodes) {
    rewriter.keep(node);
    const merged = mergeForward(rewriter, kernels, node) ??
      mergeInputGradient(rewriter, kernels, node) ??
      mergeFilterGradient(rewriter, kernels, node);
    if (merged !== null) rewriter.replace(node.outputs[0], merged);
  }
  return rewriter.finish();
}

/** How a convolution meets the enlarged image: the same for height and width. */
interface Meeting {
  factor: number;
  kernelSize: number;
  padding: number;
}

/** The kernel `[k, k, i, o]` as the transposed convolution's `[k + f - 1, k + f - 1, o, i]`, and back. */
class SummedKernels {
  readonly #rewriter: GraphRewriter;
  readonly #known = new Map<string, KernelValue>();

  constructor(rewriter: GraphRewriter) {
    this.#rewriter = rewriter;
  }

  /** V of a kernel. */
  sum(kernel: KernelValue, factor: number, scope: string): KernelValue {
    const key = `${kernel.id}:${factor}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    let value = kernel;
    for (const axis of [0, 1]) {
      value = this.#total(
        Array.from(
          { length: factor },
          (_, shift) => this.#padded(value, axis, shift, factor, scope),
        ),
        scope,
      );
    }
    const turned = this.#turned(value, scope);
    this.#known.set(key, turned);
    return turned;
  }

  /** The adjoint: from V's gradient to the kernel's. */
  spread(gradient: KernelValue, factor: number, scope: string): KernelValue {
    let value = this.#turned(gradient, scope);
    for (const axis of [0, 1]) {
      value = this.#total(
        Array.from(
          { length: factor },
          (_, shift) => this.#cropped(value, axis, shift, factor, scope),
        ),
        scope,
      );
    }
    return value;
  }

  /** `shift` zeros before and the rest of `factor - 1` behind. */
  #padded(x: KernelValue, axis: number, shift: number, factor: number, scope: string): KernelValue {
    const paddings = x.shape.map((_, index) =>
      index === axis ? [shift, factor - 1 - shift] : [0, 0]
    );
    const shape = x.shape.map((dim, index) => index === axis ? dim + factor - 1 : dim);
    return this.#add("PadV2", { x }, shape, scope, { paddings, constantValue: 0 });
  }

  #cropped(
    x: KernelValue,
    axis: number,
    shift: number,
    factor: number,
    scope: string,
  ): KernelValue {
    const begin = x.shape.map((_, index) => index === axis ? shift : 0);
    const size = x.shape.map((dim, index) => index === axis ? dim - factor + 1 : dim);
    return this.#add("Slice", { x }, size, scope, { begin, size });
  }

  #total(terms: KernelValue[], scope: string): KernelValue {
    return terms.reduce((a, b) => this.#add("Add", { a, b }, a.shape, scope));
  }

  /** Turned by 180 degrees, the channel axes swapped. */
  #turned(x: KernelValue, scope: string): KernelValue {
    const [height, width, third, fourth] = x.shape;
    const reversed = this.#add("Reverse", { x }, x.shape, scope, { dims: [0, 1] });
    return this.#add("Transpose", { x: reversed }, [height, width, fourth, third], scope, {
      perm: [0, 1, 3, 2],
    });
  }

  #add(
    kernel: string,
    inputs: Record<string, KernelValue>,
    shape: readonly number[],
    scope: string,
    attributes: KernelNode["attributes"] = {},
  ): KernelValue {
    return this.#rewriter.add({ kernel, inputs, shape, scope, attributes });
  }
}

/** What a nearest-neighbor resize by a whole factor enlarged, or null. */
function enlarged(value: KernelValue): { small: KernelValue; factor: number } | null {
  const node = producerOf(value);
  if (node?.kernel !== "ResizeNearestNeighbor") return null;
  const { alignCorners, halfPixelCenters } = node.attributes;
  const small = node.inputs.images;
  const factor = value.shape[1] / small.shape[1];
  const isWhole = Number.isInteger(factor) && factor > 1 &&
    value.shape[2] === small.shape[2] * factor;
  return isWhole && !alignCorners && !halfPixelCenters ? { small, factor } : null;
}

/** How a convolution kernel meets the image, or null where it cannot be merged or that would not pay. */
function meetingOf(
  node: KernelNode,
  inputShape: readonly number[],
  filterShape: readonly number[],
  factor: number,
): Meeting | null {
  const info = convolutionInfo(inputShape, filterShape, node.attributes);
  const { top, left, bottom, right } = info.padInfo;
  const kernelSize = info.filterHeight;
  const isPlain = info.strideHeight === 1 && info.strideWidth === 1 &&
    info.dilationHeight === 1 && info.dilationWidth === 1 && info.filterWidth === kernelSize;
  const isEven = [left, bottom, right].every((pixels) => pixels === top);
  const pays = (kernelSize + factor - 1) ** 2 < (kernelSize * factor) ** 2;
  if (!isPlain || !isEven || !pays || top > kernelSize - 1) return null;
  return { factor, kernelSize, padding: top };
}

/** The attributes of the convolution from the large image to the small one. */
function stridedAttributes({ factor, kernelSize, padding }: Meeting): Record<string, unknown> {
  const pixels = kernelSize - 1 - padding;
  return {
    strides: [factor, factor],
    pad: [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]],
    dataFormat: "NHWC",
  };
}

function mergeForward(
  rewriter: GraphRewriter,
  kernels: SummedKernels,
  node: KernelNode,
): KernelValue | null {
  if (node.kernel !== "Conv2D") return null;
  const { x, filter } = node.inputs;
  const source = enlarged(x);
  const meeting = source && meetingOf(node, x.shape, filter.shape, source.factor);
  if (!source || !meeting) return null;
  const { shape } = node.outputs[0];
  return rewriter.add({
    kernel: "Conv2DBackpropInput",
    inputs: { dy: source.small, filter: kernels.sum(filter, source.factor, node.scope) },
    attributes: { ...stridedAttributes(meeting), inputShape: shape },
    shape,
    scope: node.scope,
  });
}

/** The resize's gradient of the convolution's gradient. */
function mergeInputGradient(
  rewriter: GraphRewriter,
  kernels: SummedKernels,
  node: KernelNode,
): KernelValue | null {
  if (node.kernel !== "ResizeNearestNeighborGrad") return null;
  if (flagAttribute(node.attributes, "alignCorners")) return null;
  if (flagAttribute(node.attributes, "halfPixelCenters")) return null;
  const large = node.inputs.dy;
  const inner = producerOf(large);
  if (inner?.kernel !== "Conv2DBackpropInput" || rewriter.useCount(large) !== 1) return null;
  const { shape } = node.outputs[0];
  const factor = large.shape[1] / shape[1];
  if (!Number.isInteger(factor) || large.shape[2] !== shape[2] * factor) return null;
  const { dy, filter } = inner.inputs;
  const meeting = meetingOf(inner, large.shape, filter.shape, factor);
  if (!meeting) return null;
  return rewriter.add({
    kernel: "Conv2D",
    inputs: { x: dy, filter: kernels.sum(filter, factor, node.scope) },
    attributes: { ...stridedAttributes(meeting), dilations: [1, 1] },
    shape,
    scope: node.scope,
  });
}

function mergeFilterGradient(
  rewriter: GraphRewriter,
  kernels: SummedKernels,
  node: KernelNode,
): KernelValue | null {
  if (node.kernel !== "Conv2DBackpropFilter") return null;
  const { x, dy } = node.inputs;
  const filterShape = node.outputs[0].shape;
  const source = enlarged(x);
  const meeting = source && meetingOf(node, x.shape, filterShape, source.factor);
  if (!source || !meeting) return null;
  const [, , inputs, outputs] = filterShape;
  const size = meeting.kernelSize + meeting.factor - 1;
  const summedShape = [size, size, outputs, inputs];
  const gradient = rewriter.add({
    kernel: "Conv2DBackpropFilter",
    inputs: { x: dy, dy: source.small },
    attributes: { ...stridedAttributes(meeting), filterShape: summedShape },
    shape: summedShape,
    scope: node.scope,
  });
  return kernels.spread(gradient, meeting.factor, node.scope);
}
