/** What can be exported, and how each kind of it becomes a graph of kernels whose batch size is open. */
import { tf } from "../engine/tf.ts";
import type { HostTensors, StepRandom, TensorMap, TensorSpec } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import { applyNetwork, type Network } from "../nn/mod.ts";
import type { KernelGraph } from "./trace/kernel_graph.ts";
import { traceFunction } from "./trace/trace.ts";

/** A network of this project with its weights. */
export interface NetworkTarget {
  /** From `buildNetwork`. */
  network: Network;
  /** Its parameters by name, buffers included. */
  weights: HostTensors;
}

/** The inputs' name for the latent, and for the class. */
export const LATENT = "latent";
/** See {@linkcode LATENT}. */
export const LABEL = "label";

/** A traced target. */
export interface TracedTarget {
  graph: KernelGraph;
  /** The batch size that it was traced with; see `LowerOptions`. */
  batchMark: number;
  /** The shape of each output without the batch, in TensorFlow.js' layout. */
  outputShapes: Record<string, number[]>;
  /** What a layer of the generator takes: whether there is an input for the class. */
  usesLabels: boolean;
}

/** Applied to the output before it leaves the graph. */
export type Finish = (output: tf.Tensor) => tf.Tensor;

/** Primes: no dimension of a network may be a multiple of the batch size that it is traced with. */
const BATCH_MARKS = [1009, 2003, 4001, 8009, 16001, 32003];

/** A batch size that is told from all of these dimensions. */
export function chooseBatchMark(dims: Iterable<number>): number {
  const taken = [...dims];
  const mark = BATCH_MARKS.find((prime) => taken.every((dim) => dim === 0 || dim % prime !== 0));
  if (mark === undefined) {
    throw new UserError(
      `Cannot export a network with dimensions that are multiples of each of ${
        BATCH_MARKS.join(", ")
      }: change a layer's size by one`,
    );
  }
  return mark;
}

/**
 * Traces a network as it is used after training.
 * @param finish what follows on the network
 * @throws {UserError} when a layer cannot be exported
 */
export function traceNetwork(
  { network, weights }: NetworkTarget,
  outputName: string,
  finish: Finish,
): TracedTarget {
  refuseBatchLayers(network);
  const { inputShape } = network.spec;
  const batchMark = chooseBatchMark([
    ...inputShape,
    ...network.parameters.flatMap(({ shape }) => shape),
    ...network.layers.flatMap(({ outputShape }) => outputShape),
  ]);
  const inputs: Record<string, TensorSpec> = {
    [LATENT]: { shape: [batchMark, ...inputShape], dtype: "float32" },
  };
  if (network.usesLabels) inputs[LABEL] = { shape: [batchMark], dtype: "int32" };
  let outputShape: number[] = [];
  const graph = withCpuTensors(weights, (parameters) =>
    traceFunction(
      (given) => {
        const { output } = applyNetwork(network, parameters, given[LATENT], {
          training: false,
          labels: given[LABEL] as tf.Tensor1D | undefined,
          enterLayer: (name, apply) => tf.tidy(name, apply),
        });
        const finished = tf.tidy("output", () => finish(output));
        outputShape = finished.shape.slice(1);
        return { [outputName]: finished };
      },
      inputs,
      { labels: parameters, batchMark },
    ));
  return {
    graph,
    batchMark,
    outputShapes: { [outputName]: outputShape },
    usesLabels: network.usesLabels,
  };
}

function refuseBatchLayers(network: Network): void {
  const layer = network.layers.find(({ type }) => type === "minibatch-stddev");
  if (layer === undefined) return;
  throw new UserError(
    `Cannot export layer ${layer.name} (minibatch-stddev): what it gives for one sample depends on ` +
      "the others of the batch; it belongs into a discriminator, take it out of the generator",
  );
}

/** A function that may draw random numbers. */
export type ExportableFunction = (
  inputs: TensorMap,
  random: StepRandom,
) => TensorMap | tf.Tensor;

/** Makes host tensors tensors of the cpu backend for as long as `body` runs. */
export function withCpuTensors<T>(given: HostTensors, body: (tensors: TensorMap) => T): T {
  const previous = tf.getBackend();
  void tf.setBackend("cpu");
  const tensors: TensorMap = Object.fromEntries(
    Object.entries(given).map(([name, { data, shape, dtype }]) => [
      name,
      tf.tensor(data, shape, dtype),
    ]),
  );
  void tf.setBackend(previous || "cpu");
  try {
    return body(tensors);
  } finally {
    tf.dispose(tensors);
  }
}
