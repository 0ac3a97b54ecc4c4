/** From a target to a graph of kernels that holds for any batch size. */
import { tf } from "../tensor/tf.ts";
import type { TensorMap, TensorSpec } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import { chooseBatchSizes, refuseBatchDependence, type SizedGraph } from "../graph/batch_size.ts";
import {
  type ExportTarget,
  LABEL,
  LATENT,
  NOISE,
  type PreparedTarget,
  prepareTarget,
} from "./target.ts";
import { traceFunction } from "../graph/trace/trace.ts";

/** Applied to a generator's output before it leaves the graph. */
export type Finish = (output: tf.Tensor) => tf.Tensor;

/** A traced target. */
export interface TracedTarget extends SizedGraph {
  /** The shape of each output without the batch, as TensorFlow.js sees it. */
  outputShapes: Record<string, number[]>;
  generator?: TracedGenerator;
}

/** What a target is as a generator. Its inputs are called `latent`, `label` and `noise`. */
export interface TracedGenerator {
  latentDimension: number;
  /** How many classes: undefined without labels, null where nothing says how many. */
  classCount: number | null | undefined;
  outputName: "image" | "sample";
}

/** Traces a target as it is: its inputs and outputs keep their names. */
export function traceTarget(target: ExportTarget): TracedTarget {
  return traced(prepareTarget(target), (outputs) => outputs);
}

/**
 * Traces a target as a generator.
 * @param finish what follows on an image
 * @throws {UserError} when it does not take one latent and at most one label, or an operation cannot be
 * exported
 */
export function traceGenerator(target: ExportTarget, finish: Finish): TracedTarget {
  const prepared = prepareTarget(target);
  let generator: TracedGenerator | undefined;
  const roles = generatorInputs(prepared);
  const result = traced(roles, (outputs) => {
    const [output] = Object.values(outputs);
    const isImage = output.rank === 4;
    const outputName = isImage ? "image" : "sample";
    generator = {
      latentDimension: roles.inputs[LATENT].shape[1]!,
      classCount: roles.inputs[LABEL] ? prepared.classCount ?? null : undefined,
      outputName,
    };
    const size = output.shape.slice(1).reduce((product, side) => product * side, 1);
    const finished = tf.tidy(
      "output",
      () => isImage ? finish(output) : tf.reshape(output, [-1, size]),
    );
    return { [outputName]: finished };
  });
  const random = result.graph.inputs.find(({ kind }) => kind === "random");
  if (random !== undefined) {
    throw new UserError(
      "Cannot export a generator that draws random numbers: a file's samples follow from latents " +
        "alone; make its noise part of the latent",
    );
  }
  return { ...result, generator };
}

function traced(
  prepared: PreparedTarget,
  finish: (outputs: TensorMap) => TensorMap,
): TracedTarget {
  try {
    const dims = Object.values(prepared.inputs).flatMap(({ shape }) =>
      shape.map((dim) => dim ?? 0)
    );
    const sizes = chooseBatchSizes([...dims, ...prepared.dims]);
    const first = traceOnce(prepared, finish, sizes[0]);
    if (!prepared.isOwn) refuseBatchDependence(first, traceOnce(prepared, finish, sizes[1]));
    return first;
  } finally {
    prepared.release();
  }
}

function traceOnce(
  prepared: PreparedTarget,
  finish: (outputs: TensorMap) => TensorMap,
  batchSize: number,
): TracedTarget {
  const inputs: Record<string, TensorSpec> = Object.fromEntries(
    Object.entries(prepared.inputs).map(([name, { shape, dtype }]) => [
      name,
      { shape: shape.map((dim) => dim ?? batchSize), dtype },
    ]),
  );
  const outputShapes: Record<string, number[]> = {};
  const graph = traceFunction(
    (given, random) => {
      const outputs = finish(prepared.apply(given, random));
      for (const [name, { shape }] of Object.entries(outputs)) outputShapes[name] = shape.slice(1);
      return outputs;
    },
    inputs,
    { labels: prepared.weights, batchMark: batchSize },
  );
  return { graph, batchSize, outputShapes };
}

/** The target with its inputs named after what they are. */
function generatorInputs(prepared: PreparedTarget): PreparedTarget {
  const noise = prepared.isOwn ? prepared.inputs[NOISE] : undefined; // a user's may be a latent
  const entries = Object.entries(prepared.inputs).filter(([name]) => !(noise && name === NOISE));
  const latents = entries.filter(([, { dtype }]) => dtype === "float32");
  const labels = entries.filter(([, { dtype }]) => dtype === "int32");
  const isPerSample = ([, { shape }]: typeof entries[number], rank: number) =>
    shape[0] === null && shape.length === rank && shape.slice(1).every((dim) => dim !== null);
  const isLabel = (entry: typeof entries[number]) =>
    isPerSample(entry, 1) || (isPerSample(entry, 2) && entry[1].shape[1] === 1);
  if (
    latents.length !== 1 || labels.length > 1 || !isPerSample(latents[0], 2) ||
    !labels.every(isLabel)
  ) {
    const found = entries.map(([name, { shape, dtype }]) =>
      `${name}: ${dtype} [${shape.map((dim) => dim ?? "N").join(", ")}]`
    );
    throw new UserError(
      "Cannot export as a generator: it must take one float32 latent [N, D] and perhaps one int32 " +
        `label [N], and it takes ${found.join("; ") || "nothing"}`,
    );
  }
  const names = new Map([
    [LATENT, latents[0][0]],
    ...labels.map(([name]) => [LABEL, name] as const),
    ...(noise ? [[NOISE, NOISE] as const] : []),
  ]);
  return {
    ...prepared,
    inputs: Object.fromEntries(
      [...names].map(([role, name]) => [role, prepared.inputs[name]]),
    ),
    apply: (given, random) =>
      prepared.apply(
        Object.fromEntries([...names].map(([role, name]) => [name, given[role]])),
        random,
      ),
  };
}
