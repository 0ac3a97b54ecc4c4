/**
 * Affine maps of channels, `y = scale x + shift` along the last axis: what a bias, a batch norm with fixed
 * statistics and a change of range are, one after another as well as each by itself.
 */
import {
  constantData,
  type KernelNode,
  type KernelValue,
  sameNumbers,
} from "../trace/kernel_graph.ts";
import { numberAttribute } from "../trace/attributes.ts";

/** One number a channel each; double precision, so that a chain of maps is rounded once. */
export interface Affine {
  scale: Float64Array;
  shift: Float64Array;
}

/** A kernel that is an affine map of one of its inputs. */
export interface AffineKernel extends Affine {
  input: KernelValue;
}

/** How many channels a value has: the length of its last axis. */
export function channelsOf(value: KernelValue): number {
  return value.shape.at(-1) ?? 1;
}

/** Reads a kernel as an affine map, or gives null where it is something else. */
export function readAffine(node: KernelNode): AffineKernel | null {
  const [output] = node.outputs;
  if (output.dtype !== "float32") return null;
  if (node.kernel === "FusedBatchNorm") return readBatchNorm(node);
  const { a, b } = node.inputs;
  if (a === undefined || b === undefined) return null;
  const channels = channelsOf(output);
  const right = sameNumbers(a.shape, output.shape) ? perChannel(b, channels) : null;
  if (right !== null) {
    switch (node.kernel) {
      case "Add":
        return { input: a, scale: ones(channels), shift: right };
      case "Sub":
        return { input: a, scale: ones(channels), shift: right.map((value) => -value) };
      case "Multiply":
        return { input: a, scale: right, shift: new Float64Array(channels) };
      case "RealDiv":
        return {
          input: a,
          scale: right.map((value) => 1 / value),
          shift: new Float64Array(channels),
        };
      default:
        return null;
    }
  }
  const left = sameNumbers(b.shape, output.shape) ? perChannel(a, channels) : null;
  if (left === null) return null;
  switch (node.kernel) {
    case "Add":
      return { input: b, scale: ones(channels), shift: left };
    case "Sub":
      return { input: b, scale: ones(channels).fill(-1), shift: left };
    case "Multiply":
      return { input: b, scale: left, shift: new Float64Array(channels) };
    default:
      return null;
  }
}

/** `second` after `first`. */
export function compose(first: Affine, second: Affine): Affine {
  return {
    scale: first.scale.map((value, c) => value * second.scale[c]),
    shift: first.shift.map((value, c) => value * second.scale[c] + second.shift[c]),
  };
}

/** The map repeated so that it has `channels` numbers, a multiple of what it has. */
export function repeated({ scale, shift }: Affine, channels: number): Affine {
  const repeat = (values: Float64Array) =>
    Float64Array.from({ length: channels }, (_, index) => values[index % values.length]);
  return { scale: repeat(scale), shift: repeat(shift) };
}

/** Whether all values are the same as `value`. */
export function isAll(values: Float64Array, value: number): boolean {
  return values.every((item) => item === value);
}

/** One number a channel of a constant that is broadcast over all other axes, else null. */
function perChannel(value: KernelValue, channels: number): Float64Array | null {
  if (value.shape.slice(0, -1).some((dim) => dim !== 1)) return null;
  const data = constantData(value);
  if (data === undefined) return null;
  return data.length === 1
    ? new Float64Array(channels).fill(data[0])
    : data.length === channels
    ? Float64Array.from(data)
    : null;
}

function readBatchNorm(node: KernelNode): AffineKernel | null {
  const { x } = node.inputs;
  const channels = channelsOf(x);
  const read = (name: string, missing: number) =>
    node.inputs[name]
      ? perChannel(node.inputs[name], channels)
      : new Float64Array(channels).fill(missing);
  const [mean, variance] = [read("mean", 0), read("variance", 1)];
  const [factor, offset] = [read("scale", 1), read("offset", 0)];
  if (mean === null || variance === null || factor === null || offset === null) return null;
  const epsilon = numberAttribute(node.attributes, "varianceEpsilon");
  const scale = factor.map((value, c) => value / Math.sqrt(variance[c] + epsilon));
  return { input: x, scale, shift: offset.map((value, c) => value - mean[c] * scale[c]) };
}

function ones(count: number): Float64Array {
  return new Float64Array(count).fill(1);
}
