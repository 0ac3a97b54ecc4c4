/**
 * Weights with PyTorch's names and layouts: `generator/conv_1/kernel` `[kh, kw, in, out]` is
 * `generator.conv_1.weight` `[out, in, kh, kw]`, as in a module whose parts have the names of the layers.
 * Dense layers become `[out, in]`. Tables of embeddings and the projections of self-attention stay as they are.
 */
import { elementCount } from "../bytes.ts";
import type { Network, Parameter } from "../nn/mod.ts";
import type { HostTensor, HostTensors } from "../tensor/types.ts";

const LEAVES: Readonly<Record<string, string>> = {
  kernel: "weight",
  gamma: "weight",
  beta: "bias",
  moving_mean: "running_mean",
  moving_variance: "running_var",
  alpha: "weight",
};

/** How a tensor is laid out in PyTorch. */
interface TorchLayout {
  name: string;
  shape: number[];
  /** Which of our axes each of PyTorch's is; undefined: the values are in the same order. */
  axes?: number[];
}

/** The weights of some networks in PyTorch's layouts. @param state names begin with the network's */
export function toTorchWeights(
  networks: Readonly<Record<string, Network>>,
  state: HostTensors,
): HostTensors {
  const result: HostTensors = {};
  for (const { name, layout, shape } of layouts(networks)) {
    const tensor = state[name];
    result[layout.name] = { ...reordered(tensor, shape, layout.axes), shape: layout.shape };
  }
  return result;
}

/** The weights of a file in our layouts; those that have another name or shape are left out. */
export function fromTorchWeights(
  networks: Readonly<Record<string, Network>>,
  tensors: HostTensors,
): HostTensors {
  const result: HostTensors = {};
  for (const { name, layout, shape } of layouts(networks)) {
    if (!Object.hasOwn(tensors, layout.name)) continue;
    const tensor = tensors[layout.name];
    if (tensor.shape.join() !== layout.shape.join()) continue;
    const { axes } = layout;
    const permuted = axes?.map((axis) => shape[axis]) ?? layout.shape;
    const inverse = axes?.map((_, axis) => axes.indexOf(axis));
    result[name] = { ...reordered(tensor, permuted, inverse), shape };
  }
  return result;
}

function layouts(networks: Readonly<Record<string, Network>>) {
  return Object.entries(networks).flatMap(([prefix, network]) => {
    const types = new Map(network.layers.map(({ name, type }) => [name, type]));
    return network.parameters.map((parameter) => {
      const layer = parameter.name.slice(0, parameter.name.lastIndexOf("/"));
      const isDepthwise = types.get(layer) === "depthwise-conv";
      return {
        name: `${prefix}/${parameter.name}`,
        shape: parameter.shape,
        layout: torchLayout(`${prefix}/${layer}`, parameter, isDepthwise),
      };
    });
  });
}

function torchLayout(layer: string, parameter: Parameter, isDepthwise: boolean): TorchLayout {
  const leaf = parameter.name.slice(parameter.name.lastIndexOf("/") + 1);
  const name = `${layer}/${LEAVES[leaf] ?? leaf}`.replaceAll("-", "_").replaceAll("/", ".");
  const { shape } = parameter;
  if (leaf !== "kernel") return { name, shape };
  if (shape.length === 2) return { name, shape: [shape[1], shape[0]], axes: [1, 0] };
  if (shape.length !== 4) return { name, shape };
  const [height, width, inputs, outputs] = shape;
  return isDepthwise
    ? { name, shape: [inputs * outputs, 1, height, width], axes: [2, 3, 0, 1] }
    : { name, shape: [outputs, inputs, height, width], axes: [3, 2, 0, 1] };
}

/** A tensor with its axes in another order. @param shape before, without axes of one */
function reordered(
  { dtype, data }: HostTensor,
  shape: readonly number[],
  axes: readonly number[] | undefined,
): HostTensor {
  if (!axes) return { dtype, shape: [...shape], data: data.slice() } as HostTensor;
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  const order = axes.map((axis) => ({ size: shape[axis], stride: strides[axis] }));
  const values = data.slice();
  const index = order.map(() => 0);
  for (let to = 0; to < values.length; to++) {
    values[to] = data[order.reduce((at, { stride }, i) => at + stride * index[i], 0)];
    for (let i = order.length - 1; i >= 0 && ++index[i] === order[i].size; i--) index[i] = 0;
  }
  return { dtype, shape: order.map(({ size }) => size), data: values } as HostTensor;
}
