/** The parity check: does the finished file compute what the trainer does? */
import type { HostTensor, HostTensors } from "../tensor/types.ts";
import { UserError } from "../errors.ts";
import { fillBits, STREAMS } from "../random/counter_random.ts";
import { fillLatent } from "../random/latents.ts";
import type { ExportedGenerator } from "./export.ts";
import { withModel } from "../ort/model_session.ts";
import {
  type ColumnUnits,
  compareValues,
  ROUNDING_MARGIN,
  toNCHW,
  withoutUnits,
} from "./compare.ts";
import { seededNoise, selfTestCondition } from "./generator_manifest.ts";
import { LABEL, LATENT, NOISE } from "./target.ts";

/**
 * What the trainer's generator gives; conditions hold 0.5 in the comparison, or 0 where they are integers.
 * @param latents `[n, dimension]`
 * @param labels `[n]`, for a conditional generator
 * @param seeds `[n]`, of the noise, for a generator that stays random
 * @returns `[n, ...shape]`, images as NHWC, in the network's own range
 */
export type ParityReference = (
  latents: HostTensor,
  labels?: Int32Array,
  seeds?: Uint32Array,
) => Promise<HostTensor>;

/** How to compare. */
export interface ParityOptions {
  /**
   * The largest difference to accept; see {@linkcode Parity}. Where the trainer's own values change by
   * more than an eighth of it when its latents change by one unit in the last place, eight times that
   * change: a deep network's rounding is not the file's fault.
   */
  tolerance: number;
  /**
   * The largest mean difference to accept, for weights that were rounded: a few steep places of a deep
   * network may change much while its images stay what they are, but not all of them. Default: none.
   */
  meanTolerance?: number;
  /** How many fresh latents. Default 64. */
  count?: number;
  /** Decides which latents. Default 0. */
  seed?: number;
  /** Where the file gives uint8: which of the trainer's values are 0 and 255. Default -1 and 1. */
  range?: readonly [number, number];
  /** The units of the file's columns, where it does not give what the network does. */
  columnUnits?: readonly ColumnUnits[];
}

/**
 * How far a file is from the trainer. A difference counts as a share of the trainer's value where that
 * is beyond 1, and in gray levels for a file that gives uint8.
 */
export interface Parity {
  /** Latents that were compared. */
  count: number;
  /** The largest difference of any value. */
  maxDifference: number;
  /** The mean over all values. */
  meanDifference: number;
  /** What the largest may be. */
  tolerance: number;
  /** The runtime that ran the file. */
  runtime: string;
}

/**
 * Runs a file in onnxruntime-web on fresh latents and compares.
 * @throws {UserError} past the tolerance, or when the runtime refuses the file
 */
export async function checkParity(
  model: Pick<ExportedGenerator, "bytes" | "externalData" | "manifest">,
  reference: ParityReference,
  options: ParityOptions,
): Promise<Parity> {
  const { count = 64, seed = 0, tolerance, meanTolerance, range = [-1, 1], columnUnits } = options;
  const { latent, output, classNames } = model.manifest;
  const seeds = fillBits(new Uint32Array(count), { seed, stream: STREAMS.evaluation, step: 0 });
  const data = new Float32Array(count * latent.dimension);
  seeds.forEach((latentSeed, index) => {
    const one = data.subarray(index * latent.dimension, (index + 1) * latent.dimension);
    fillLatent(one, { seed: latentSeed, distribution: latent.distribution });
  });
  const latents: HostTensor = { shape: [count, latent.dimension], dtype: "float32", data };
  const labels = classNames === null
    ? undefined
    : Int32Array.from({ length: count }, (_, index) => index % classNames.length);
  const inputs: HostTensors = { [LATENT]: latents };
  const noiseSeeds = model.manifest.noise && seeds;
  if (noiseSeeds) inputs[NOISE] = seededNoise(noiseSeeds, model.manifest.noise!.size);
  for (const condition of model.manifest.conditions ?? []) {
    inputs[condition.name] = selfTestCondition(condition, count);
  }
  if (labels) inputs[LABEL] = { shape: [count], dtype: "int32", data: labels };

  const { actual, runtime } = await withModel(
    model.bytes,
    model.externalData,
    async (session) => ({
      actual: (await session.run(inputs))[output.name].data,
      runtime: session.runtime,
    }),
  );
  const expected = await reference(latents, labels, noiseSeeds);
  if (expected.data.length !== actual.length) {
    throw new RangeError(
      `Cannot compare the file's ${actual.length} values with the reference's ${expected.data.length}`,
    );
  }
  const isBytes = output.dtype === "uint8";
  const inFile = (values: HostTensor): Float32Array => {
    const ordered = output.name === "image"
      ? toNCHW(values.data as Float32Array, output.shape)
      : values.data as Float32Array;
    return isBytes ? ordered.map((value) => toLevel(value, range)) : ordered;
  };
  const wanted = inFile(expected);
  const own = columnUnits ? withoutUnits(actual, wanted, columnUnits) : actual;
  const difference = compareValues(own, wanted, { isAbsolute: isBytes });
  const result: Parity = { count, ...difference, tolerance, runtime };
  if (meanTolerance !== undefined && !(result.meanDifference <= meanTolerance)) {
    throw new UserError(
      `Cannot export: over ${count} latents, ${runtime} differs from the trainer by ` +
        `${figure(result.meanDifference)} on average, more than the allowed ${
          figure(meanTolerance)
        }: ` +
        "these weights do not bear so much rounding; no file was written, export with higher precision",
    );
  }
  if (result.maxDifference <= tolerance) return result;

  const nudged = { ...latents, data: data.map((value) => value * (1 + 2 ** -23)) };
  const rounding = compareValues(
    inFile(await reference(nudged, labels, noiseSeeds)),
    wanted,
    { isAbsolute: isBytes },
  );
  // A reference that is not finite says nothing about rounding.
  const allowed = ROUNDING_MARGIN * rounding.maxDifference;
  if (Number.isFinite(allowed)) result.tolerance = Math.max(tolerance, allowed);
  if (result.maxDifference <= result.tolerance) return result;
  throw new UserError(
    `Cannot export: over ${count} latents, ${runtime} differs from the trainer by up to ` +
      `${figure(result.maxDifference)} (mean ${figure(result.meanDifference)}), more than the ` +
      `allowed ${figure(result.tolerance)}; no file was written`,
  );
}

/** The gray level. */
function toLevel(value: number, [low, high]: readonly [number, number]): number {
  return Math.round(Math.min(255, Math.max(0, (value - low) * 255 / (high - low))));
}

function figure(value: number): string {
  return Number(value.toPrecision(3)).toString();
}
