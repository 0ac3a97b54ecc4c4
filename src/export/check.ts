/**
 * The check of a finished file: it must give what the target gives, at two batch sizes and at two lengths of
 * each other open axis.
 */
import { tf } from "../tensor/tf.ts";
import type { HostTensor, HostTensors, StepRandom, TensorMap } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import { axisInWords, type AxisLengths, BATCH_AXIS } from "../graph/open/axes.ts";
import type { LatentDistribution } from "../manifest.ts";
import type { ModelSession } from "../ort/model_session.ts";
import { fillNormal, fillUniform } from "../random/counter_random.ts";
import { fillLatent } from "../random/latents.ts";
import type { ExportDtype } from "./dtypes.ts";
import { seededNoise } from "./generator_manifest.ts";
import {
  type ColumnUnits,
  compareValues,
  ROUNDING_MARGIN,
  toNCHW,
  withoutUnits,
} from "./compare.ts";
import { LABEL, LATENT, NOISE } from "./target.ts";
import { LEVEL_TOLERANCES, TOLERANCES } from "./tolerances.ts";
import { type FileTarget, openAxes, shapeFor } from "./traced_target.ts";

/** What the check has to know of the file. */
export interface CheckOptions {
  /** How weights are kept. */
  dtype: ExportDtype;
  /** How a generator's images leave the file. */
  output?: "float" | "uint8";
  /** Where a generator's latents come from. */
  distribution?: LatentDistribution;
  /** The units of a generator's columns. */
  columnUnits?: readonly ColumnUnits[];
  /** How many classes a generator has. */
  classCount?: number;
  /** The tensors that the target uses, by their data's handle: it runs on their backend. */
  captured: ReadonlyMap<object, unknown>;
}

/** Batch sizes. */
const BATCHES: readonly number[] = [1, 2];

/** Lengths of other axes, odd and even; larger ones where the target fails at the smaller. */
const LENGTHS: readonly number[][] = [[17, 24], [65, 96], [129, 160], [225, 256]];

/**
 * Rounding of any function, by any of TensorFlow.js' backends, as a share of values beyond 1. Networks of this
 * project are compared more closely in `checkParity`.
 */
const FLOAT_TOLERANCE = 1e-4;

/** Decides the values that are compared: any will do, but the same at each run. */
const SEED = 11;

/**
 * Runs a file and its target on the same inputs.
 * @throws {UserError} when they differ, or the target fails
 */
export async function checkExport(
  session: ModelSession,
  target: FileTarget,
  options: CheckOptions,
): Promise<void> {
  const axes = openAxes(target);
  let failure: unknown;
  for (const lengths of axes.some((name) => name !== BATCH_AXIS) ? LENGTHS : LENGTHS.slice(0, 1)) {
    const sets = [0, 1].map((run): AxisLengths =>
      Object.fromEntries(
        axes.map((name, axis) => [
          name,
          name === BATCH_AXIS
            ? BATCHES[run]
            : lengths[(run + axis) % 2] * (target.sideMultiple ?? 1),
        ]),
      )
    );
    for (const [run, set] of (axes.length > 0 ? sets : sets.slice(0, 1)).entries()) {
      const inputs = checkInputs(target, set, options);
      let reference: Reference;
      try {
        reference = await runTarget(target, inputs, options, run);
      } catch (error) {
        failure = error;
        break;
      }
      failure = undefined;
      await compareRun(session, target, { ...options, inputs, reference, lengths: set, run });
    }
    if (failure === undefined) return;
  }
  const tried = LENGTHS.flat().join(", ");
  throw new UserError(
    `Cannot check the exported file: the target itself fails${
      axes.some((name) => name !== BATCH_AXIS) ? ` at lengths of ${tried}` : ""
    }: ${
      String((failure as Error)?.message ?? failure).split("\n")[0]
    }; check: false leaves the check out`,
    { cause: failure },
  );
}

/** What a target gave. */
interface Reference {
  outputs: HostTensors;
  /** What it drew, by the names of the file's inputs. */
  draws: HostTensors;
}

async function compareRun(
  session: ModelSession,
  target: FileTarget,
  options: CheckOptions & {
    inputs: HostTensors;
    reference: Reference;
    lengths: AxisLengths;
    run: number;
  },
): Promise<void> {
  const { inputs, reference, lengths, dtype } = options;
  const isBytes = options.output === "uint8" && target.generator?.outputName === "image";
  const how = { isAbsolute: isBytes, allowsNaN: true };
  const actual = await session.run({ ...inputs, ...reference.draws });
  const allowed = (isBytes ? LEVEL_TOLERANCES : TOLERANCES)[dtype];
  const tolerance = dtype === "fp32" && !isBytes ? FLOAT_TOLERANCE : allowed.largest;
  const where = Object.entries(lengths).map(([name, length]) => `${axisInWords(name)} ${length}`)
    .join(", ");
  const at = where && ` at ${where}`;
  let nudged: Reference | undefined;
  for (const [name, tensor] of Object.entries(reference.outputs)) {
    const expected = inFileOrder(target, tensor);
    const found = actual[name];
    if (found.shape.join() !== expected.shape.join()) {
      throw new UserError(
        `Cannot export: the file's output ${name} has shape [${found.shape}]${at}, and the target gives ` +
          `[${expected.shape}]; this is a fault of ganforge, please report it`,
      );
    }
    const own = options.columnUnits
      ? withoutUnits(found.data, expected.data, options.columnUnits)
      : found.data;
    const { maxDifference, meanDifference } = compareValues(own, expected.data, how);
    const isRounded = allowed.mean !== undefined && !(meanDifference <= allowed.mean);
    if (maxDifference <= tolerance && !isRounded) continue;
    // A function may round by more than that itself: what one unit in the last place of its inputs does.
    nudged ??= await runTarget(target, nudge(inputs), options, options.run);
    const rounding = compareValues(
      inFileOrder(target, nudged.outputs[name]).data,
      expected.data,
      how,
    );
    const margin = ROUNDING_MARGIN * rounding.maxDifference;
    if (!isRounded && Number.isFinite(margin) && maxDifference <= margin) continue;
    throw new UserError(
      `Cannot export: the file's output ${name} differs from the target's by up to ` +
        `${maxDifference.toPrecision(3)} (mean ${
          meanDifference.toPrecision(3)
        })${at}, more than the allowed ` +
        `${Math.max(tolerance, Number.isFinite(margin) ? margin : 0).toPrecision(3)}; ` +
        (dtype === "fp32"
          ? "check: false returns the file all the same"
          : "export with higher precision, or with check: false"),
    );
  }
}

/** Inputs as a file of these lengths takes them. */
function checkInputs(
  { inputs, generator }: FileTarget,
  lengths: AxisLengths,
  { distribution = "normal", classCount = 2 }: CheckOptions,
): HostTensors {
  const entries = Object.entries(inputs).map(([name, input], stream): [string, HostTensor] => {
    const shape = shapeFor(input, lengths);
    const size = shape.reduce((product, side) => product * side, 1);
    const seeds = Array.from({ length: shape[0] ?? 1 }, (_, index) => index);
    if (generator && name === NOISE) return [name, seededNoise(seeds, shape[1])];
    if (generator && name === LATENT) {
      const data = new Float32Array(size);
      seeds.forEach((seed) =>
        fillLatent(data.subarray(seed * shape[1], (seed + 1) * shape[1]), { seed, distribution })
      );
      return [name, { shape, dtype: "float32", data }];
    }
    if (input.dtype === "int32") {
      const count = generator && name === LABEL ? classCount : 2;
      return [name, {
        shape,
        dtype: "int32",
        data: Int32Array.from({ length: size }, (_, i) => i % count),
      }];
    }
    const data = fillUniform(new Float32Array(size), { seed: SEED, stream, step: 0 });
    return [name, { shape, dtype: "float32", data }];
  });
  return Object.fromEntries(entries);
}

/** The same, the float32 values by one unit in the last place larger. */
function nudge(inputs: HostTensors): HostTensors {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, tensor]) => [
      name,
      tensor.dtype === "int32"
        ? tensor
        : { ...tensor, data: (tensor.data as Float32Array).map((value) => value * (1 + 2 ** -23)) },
    ]),
  );
}

/** Runs the target itself, on the backend of its weights. */
async function runTarget(
  target: FileTarget,
  inputs: HostTensors,
  options: CheckOptions,
  run: number,
): Promise<Reference> {
  const previous = tf.getBackend();
  void tf.setBackend(backendOf(options.captured) ?? (previous || "cpu"));
  const draws: HostTensors = {};
  const draw = (
    shape: number[],
    fill: typeof fillNormal | typeof fillUniform,
  ): tf.Tensor => {
    const index = Object.keys(draws).length;
    const data = new Float32Array(shape.reduce((product, side) => product * side, 1));
    fill(data, { seed: SEED, stream: index, step: run + 1 });
    draws[`random_${index}`] = { shape: [...shape], dtype: "float32", data };
    return tf.tensor(data, shape);
  };
  const random: StepRandom = {
    normal: (shape) => draw(shape, fillNormal),
    uniform: (shape) => draw(shape, fillUniform),
  };
  let results: TensorMap = {};
  try {
    results = tf.tidy(() => {
      const tensors = Object.fromEntries(
        Object.entries(inputs).map(([name, { data, shape, dtype }]) => [
          name,
          tf.tensor(data, shape, dtype),
        ]),
      );
      const given = Object.entries(target.apply(tensors, random));
      // Clones, as a target may give a weight of its own, which must outlive this.
      return Object.fromEntries(given.map(([name, tensor]) => [name, tf.clone(tensor)]));
    });
    const outputs = await Promise.all(
      Object.entries(results).map(async ([name, tensor]): Promise<[string, HostTensor]> => [name, {
        shape: [...tensor.shape],
        dtype: "float32",
        data: await tensor.data() as Float32Array,
      }]),
    );
    return { outputs: Object.fromEntries(outputs), draws };
  } finally {
    tf.dispose(results);
    void tf.setBackend(previous || "cpu");
  }
}

/** The backend that holds the target's weights, or undefined where it uses none. */
function backendOf(captured: ReadonlyMap<object, unknown>): string | undefined {
  const { state, registry } = tf.engine();
  for (const dataId of captured.keys()) {
    const backend = state.tensorInfo.get(dataId)?.backend;
    const found = Object.entries(registry).find(([, own]) => own === backend);
    if (found) return found[0];
  }
  return undefined;
}

/** A generator's images are NCHW in the file. */
function inFileOrder({ generator }: FileTarget, tensor: HostTensor): HostTensor {
  if (generator?.outputName !== "image") return tensor;
  const [count, height, width, channels] = tensor.shape;
  const shape = [channels, height, width];
  return { ...tensor, shape: [count, ...shape], data: toNCHW(tensor.data as Float32Array, shape) };
}
