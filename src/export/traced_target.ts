/** From a target to graphs of kernels, one for each set of lengths of its open axes. */
import { tf } from "../tensor/tf.ts";
import type { StepRandom, TensorMap, TensorSpec } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import { type AxisLengths, BATCH_AXIS, lengthsToTrace, openAxisError } from "../graph/open/axes.ts";
import type { SizedTrace } from "../graph/open/compare_traces.ts";
import type { ConstantData } from "../graph/trace/kernel_graph.ts";
import { traceFunction } from "../graph/trace/trace.ts";
import { assignRoles, type GeneratorTarget, type InputRoles } from "./generator_roles.ts";
import { LATENT, type PreparedTarget, type ResolvedInput } from "./target.ts";

/** Applied to a generator's output before it leaves the graph. */
export type Finish = (output: tf.Tensor) => tf.Tensor;

/** A target whose outputs are those of the file, images still NHWC. */
export interface FileTarget {
  /** Its inputs; an open axis has its name in the shape. */
  inputs: Record<string, ResolvedInput>;
  /** Gives the outputs by name. */
  apply(inputs: TensorMap, random: StepRandom): TensorMap;
  /** Names of the weights' tensors. */
  weights: TensorMap;
  /** Dimensions that it is known to have. */
  dims: number[];
  /** What it is as a generator. */
  generator?: GeneratorFacts;
  /** What it is as a function from images to images. */
  translator?: TranslatorFacts;
  /** What divides open heights and widths. Default 1. */
  sideMultiple?: number;
}

/** What a target is as a generator. Its inputs are called `latent`, `label`, `noise`, or as conditions. */
export interface GeneratorFacts
  extends Pick<GeneratorTarget, "latentDimension" | "labelClasses" | "conditions"> {
  /** The name of its output, once it has been applied. */
  outputName?: "image" | "sample";
}

/** What a target is as a function from images to images. */
export interface TranslatorFacts {
  /** Of the input. */
  channels: number;
  /** Of the input; null where it is open. */
  height: number | null;
  /** See `height`. */
  width: number | null;
  /** What divides both. */
  multiple: number;
  /** Values of an image's noise; 0: none. */
  noiseSize: number;
  /** How much larger the output is, once it has been applied. */
  factor?: number;
  /** Of the output, once it has been applied. */
  outputChannels?: number;
}

/** The traces of a target. */
export interface TracedTarget {
  /** The first is the one that the others are compared with. */
  traces: SizedTrace[];
  /** The shape of each output without the batch, as TensorFlow.js sees it, in the first trace. */
  outputShapes: Record<string, number[]>;
  /** The tensors of other backends that the function used, by their data's handle. */
  captured: ReadonlyMap<object, unknown>;
}

/** A target as it is: its inputs and outputs keep their names. */
export function plainTarget(prepared: PreparedTarget): FileTarget {
  return prepared;
}

/**
 * A target as a generator.
 * @param finish what follows on an image
 * @throws {UserError} when its inputs are not a generator's
 */
export function generatorTarget(
  prepared: PreparedTarget,
  roles: InputRoles,
  finish: Finish,
): FileTarget {
  const target = assignRoles(prepared, roles);
  const { latentDimension, labelClasses, conditions } = target;
  const facts: GeneratorFacts = { latentDimension, labelClasses, conditions };
  return {
    ...target,
    generator: facts,
    apply(inputs, random) {
      const [output] = Object.values(target.apply(inputs, random));
      const isImage = output.rank === 4;
      facts.outputName = isImage ? "image" : "sample";
      const size = output.shape.slice(1).reduce((product, side) => product * side, 1);
      const finished = tf.tidy(
        "output",
        () => isImage ? finish(output) : tf.reshape(output, [-1, size]),
      );
      return { [facts.outputName]: finished };
    },
  };
}

/** The names of a target's open axes, in the order in which its inputs have them. */
export function openAxes({ inputs }: Pick<FileTarget, "inputs">): string[] {
  const names = Object.values(inputs).flatMap(({ shape }) => shape)
    .filter((dim) => typeof dim === "string");
  return [...new Set(names)];
}

/** The shape of an input for some lengths. */
export function shapeFor({ shape }: ResolvedInput, lengths: AxisLengths): number[] {
  return shape.map((dim) => typeof dim === "number" ? dim : lengths[dim]);
}

/** Applies a target; that it fails at lengths that it leaves open becomes a user's error. */
function applyAt(
  target: FileTarget,
  lengths: AxisLengths,
  given: TensorMap,
  random: StepRandom,
): TensorMap {
  try {
    return target.apply(given, random);
  } catch (error) {
    const sides = Object.keys(lengths).filter((name) => name !== BATCH_AXIS);
    if (error instanceof UserError || sides.length === 0) throw error;
    const at = sides.map((name) => `${name} = ${lengths[name]}`).join(", ");
    const message = String((error as Error).message ?? error).split("\n")[0];
    throw openAxisError(sides, `with ${at} the target itself fails: ${message}`, error);
  }
}

/**
 * Traces a target for several lengths of its open axes.
 * @param attempt see {@linkcode lengthsToTrace}
 * @throws {UserError} when an operation cannot be exported, or a generator draws random numbers
 */
export function traceTarget(target: FileTarget, attempt: number): TracedTarget {
  const fixed = Object.values(target.inputs)
    .flatMap(({ shape }) => shape.filter((dim) => typeof dim === "number"));
  const captured = new Map<object, ConstantData>();
  const outputShapes: Record<string, number[]> = {};
  const sets = lengthsToTrace(openAxes(target), [...fixed, ...target.dims], {
    attempt,
    sideMultiple: target.sideMultiple,
  });
  const traces = sets.map((lengths, index): SizedTrace => {
    const inputs: Record<string, TensorSpec> = Object.fromEntries(
      Object.entries(target.inputs).map(([name, input]) => [
        name,
        { shape: shapeFor(input, lengths), dtype: input.dtype },
      ]),
    );
    const graph = traceFunction(
      (given, random) => {
        const outputs = applyAt(target, lengths, given, random);
        if (index === 0) {
          for (const [name, { shape }] of Object.entries(outputs)) {
            outputShapes[name] = shape.slice(1);
          }
        }
        return outputs;
      },
      inputs,
      { labels: target.weights, openLengths: Object.values(lengths), captured },
    );
    return { graph, lengths };
  });
  if (
    (target.generator || target.translator) &&
    traces[0].graph.inputs.some(({ kind }) => kind === "random")
  ) {
    throw new UserError(
      "Cannot export a generator that draws random numbers: a file's samples follow from latents " +
        `alone; make its noise part of the ${LATENT}`,
    );
  }
  return { traces, outputShapes, captured };
}
