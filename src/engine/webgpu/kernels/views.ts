/**
 * Operations that only move numbers: slices, transpositions, tiles, nearest up-sampling. Each is an
 * elementwise copy with its own indexing, so readers may do without it (see fusion.ts).
 */
import type * as tfTypes from "@tensorflow/tfjs";
import { tf } from "../../../tensor/tf.ts";
import type { GanforgeWebGpuBackend } from "../backend.ts";
import type { ElementwiseNode, IndexTerm, Operand } from "../expression.ts";
import { type KernelCall, replaceKernel } from "./registry.ts";

/** Registers them for the backend "webgpu". */
export function registerViewKernels(): void {
  replaceKernel("Slice", slice);
  replaceKernel("SplitV", split);
  replaceKernel("Transpose", transpose);
  replaceKernel("Tile", tile);
  replaceKernel("ResizeNearestNeighbor", upsample);
  replaceKernel("ResizeNearestNeighborGrad", upsampleGradient);
}

type Plain = "float32" | "int32" | "bool";

function isPlain(dtype: tfTypes.DataType): dtype is Plain {
  return dtype === "float32" || dtype === "int32" || dtype === "bool";
}

/** One axis of a copy: `extent` steps of `stride` values in the source, `modulus` of them distinct. */
interface Axis {
  extent: number;
  modulus: number;
  stride: number;
}

/** The terms of axes, outermost first; axes that advance together become one term. */
function termsOf(axes: Axis[]): IndexTerm[] {
  const terms: IndexTerm[] = [];
  let divisor = 1;
  for (const { extent, modulus, stride } of axes.toReversed()) {
    const last = terms.at(-1);
    const joins = last && last.divisor * last.modulus === divisor &&
      last.stride * last.modulus === stride;
    if (modulus > 1) {
      if (joins) last.modulus *= modulus;
      else terms.push({ divisor, modulus, stride });
    }
    divisor *= extent;
  }
  return terms;
}

/** Copies `x` into `shape`; its elements are found by terms and offset. */
function copy(
  backend: GanforgeWebGpuBackend,
  x: tfTypes.TensorInfo,
  shape: number[],
  place: { terms: IndexTerm[]; offset?: number },
): tfTypes.TensorInfo | undefined {
  const size = tf.util.sizeFromShape(shape);
  if (size === 0 || !isPlain(x.dtype)) return undefined;
  const output = backend.allocate(shape, x.dtype);
  const type = x.dtype === "float32" ? "f32" : "i32";
  backend.elementwise({
    size,
    operands: [{ buffer: backend.bufferOf(x), type, ...place }],
    nodes: [{ op: "copy", args: [{ operand: 0 }], params: [] }],
    outputs: [{ node: 0, buffer: backend.bufferOf(output) }],
  }, [x, output]);
  return output;
}

/** Elements from one step along each axis to the next. */
function stridesOf(shape: number[]): number[] {
  return shape.map((_, d) => tf.util.sizeFromShape(shape.slice(d + 1)));
}

function slice({ inputs: { x }, attrs, backend }: KernelCall) {
  const [begin, size] = tf.slice_util.parseSliceParams(
    x,
    attrs.begin as number | number[],
    attrs.size as number | number[],
  );
  tf.slice_util.assertParamsValid(x, begin, size);
  return cut(backend, x, begin, size);
}

function split({ inputs: { x }, attrs, backend }: KernelCall) {
  const [axis] = tf.util.parseAxisParam(attrs.axis as number, x.shape);
  const given = attrs.numOrSizeSplits as number | number[];
  const sizes = tf.backend_util.prepareSplitSize(
    { ...x, rank: x.shape.length } as tf.Tensor,
    given,
    axis,
  );
  const begin = x.shape.map(() => 0);
  const parts = sizes.map((size) => {
    const part = cut(backend, x, begin, x.shape.map((extent, d) => d === axis ? size : extent));
    begin[axis] += size;
    return part;
  });
  return parts.every((part) => part !== undefined) ? parts : undefined;
}

/** The part of `x` of a size that starts at `begin`. */
function cut(
  backend: GanforgeWebGpuBackend,
  x: tfTypes.TensorInfo,
  begin: number[],
  size: number[],
): tfTypes.TensorInfo | undefined {
  const strides = stridesOf(x.shape);
  const axes = size.map((extent, d) => ({ extent, modulus: extent, stride: strides[d] }));
  const offset = begin.reduce((sum, at, d) => sum + at * strides[d], 0);
  return copy(backend, x, size, { terms: termsOf(axes), offset });
}

function transpose({ inputs: { x }, attrs, backend }: KernelCall) {
  const order = attrs.perm as number[];
  const strides = stridesOf(x.shape);
  const axes = order.map((d) => ({
    extent: x.shape[d],
    modulus: x.shape[d],
    stride: strides[d],
  }));
  return copy(backend, x, order.map((d) => x.shape[d]), { terms: termsOf(axes) });
}

function tile({ inputs: { x }, attrs, backend }: KernelCall) {
  const reps = attrs.reps as number[];
  if (reps.length !== x.shape.length) return undefined;
  const strides = stridesOf(x.shape);
  const shape = x.shape.map((extent, d) => extent * reps[d]);
  const axes = shape.map((extent, d) => ({ extent, modulus: x.shape[d], stride: strides[d] }));
  // An axis that is repeated starts anew within its neighbor: such axes are not joined.
  const terms = reps.every((count, d) => count === 1 || x.shape[d] === 1)
    ? termsOf(axes)
    : axes.flatMap(({ modulus, stride }, d) =>
      modulus > 1 ? [{ divisor: tf.util.sizeFromShape(shape.slice(d + 1)), modulus, stride }] : []
    ).toReversed();
  return copy(backend, x, shape, { terms });
}

/** The whole factor between two sizes of an image, or undefined. */
function wholeFactor(small: number[], large: number[]): number | undefined {
  const [height, width] = [large[1] / small[1], large[2] / small[2]];
  return height === width && Number.isInteger(height) ? height : undefined;
}

function upsample({ inputs: { images }, attrs, backend }: KernelCall) {
  const { alignCorners, size } = attrs as { alignCorners: boolean; size: [number, number] };
  const [batch, height, width, channels] = images.shape;
  const shape = [batch, ...size, channels];
  const factor = wholeFactor(images.shape, shape);
  // With a whole factor, halfPixelCenters changes nothing.
  if (alignCorners || !factor || images.dtype !== "float32") return undefined;
  const row = width * channels;
  return copy(backend, images, shape, {
    terms: [
      { divisor: 1, modulus: channels, stride: 1 },
      { divisor: channels * factor, modulus: width, stride: channels },
      { divisor: row * factor * factor, modulus: height, stride: row },
      { divisor: row * factor * height * factor, modulus: batch, stride: row * height },
    ].filter(({ modulus }) => modulus > 1),
  });
}

/** The sum of each pixel's `factor * factor` copies. */
function upsampleGradient({ inputs: { images, dy }, attrs, backend }: KernelCall) {
  const [batch, height, width, channels] = images.shape;
  const factor = wholeFactor(images.shape, dy.shape);
  const size = tf.util.sizeFromShape(images.shape);
  if (attrs.alignCorners || !factor || size === 0 || dy.dtype !== "float32") return undefined;
  const row = width * factor * channels; // of dy
  const terms = [
    { divisor: 1, modulus: channels, stride: 1 },
    { divisor: channels, modulus: width, stride: channels * factor },
    { divisor: channels * width, modulus: height * batch, stride: row * factor },
  ].filter(({ modulus }) => modulus > 1);
  const output = backend.allocate(images.shape);
  const buffer = backend.bufferOf(dy);
  const operands: Operand[] = [];
  for (let y = 0; y < factor; y++) {
    for (let x = 0; x < factor; x++) {
      operands.push({ buffer, type: "f32", terms, offset: y * row + x * channels });
    }
  }
  const nodes: ElementwiseNode[] = operands.slice(1).map((_, k) => ({
    op: "add",
    args: [k === 0 ? { operand: 0 } : { node: k - 1 }, { operand: k + 1 }],
    params: [],
  }));
  if (factor === 1) nodes.push({ op: "copy", args: [{ operand: 0 }], params: [] });
  backend.elementwise({
    size,
    operands,
    nodes,
    outputs: [{ node: nodes.length - 1, buffer: backend.bufferOf(output) }],
  }, [dy, output]);
  return output;
}
