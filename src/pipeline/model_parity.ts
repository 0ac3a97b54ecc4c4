/**
 * Whether a model's file gives what the trainer gives: at two batch sizes, and at two sizes of images where
 * these are open.
 */
import { UserError } from "../errors.ts";
import { compareValues, toNCHW } from "../export/compare.ts";
import type { ExportedModel } from "../export/export.ts";
import { withModel } from "../ort/model_session.ts";
import { fillNormal, fillUniform, STREAMS } from "../random/counter_random.ts";
import { fillNoise } from "../random/latents.ts";
import type { HostTensor, HostTensors } from "../tensor/types.ts";
import { computeValues } from "./compute_values.ts";
import { type ModelFilePlan, tokenCount, type TrainedModelState } from "./model_file_plan.ts";

/** As a share of values beyond 1: the rounding of deep networks by two runtimes. */
const TOLERANCE = 1e-4;

const BATCHES = [1, 3];

/**
 * Compares a file with the trainer.
 * @returns the largest difference
 * @throws {UserError} when it is too large
 */
export async function checkModelParity(
  model: ExportedModel,
  trained: TrainedModelState,
  plan: ModelFilePlan,
): Promise<number> {
  const { config: _, step, engine, result } = trained;
  const context = { spec: plan.spec, step, engine, state: result.state };
  const [outputName] = model.outputNames;
  return await withModel(model.bytes, model.externalData, async (session) => {
    let largest = 0;
    for (const [run, count] of BATCHES.entries()) {
      const inputs = drawInputs(trained, plan, { run, count });
      const noise = plan.noise.map((size, place) => drawNoise(size, { count, place: run + place }));
      const [expected, found] = [
        (await computeValues(context, inputs, { values: [plan.value], noise }))[plan.value],
        (await session.run(
          fileInputs(inputs, noise, { ...plan, places: tokenPlaces(trained, plan) }),
        ))[outputName],
      ];
      const isImage = plan.kind !== "function" && expected.shape.length === 4;
      const { maxDifference } = compareValues(
        found.data,
        isImage ? channelsFirst(expected).data : expected.data,
      );
      largest = Math.max(largest, maxDifference);
      if (maxDifference <= TOLERANCE) continue;
      const sizes = Object.values(inputs).map(({ shape }) => `[${shape.join(", ")}]`);
      throw new UserError(
        `Cannot export "${plan.value}": for inputs of ${
          sizes.join(" and ")
        } the file differs from the ` +
          `trainer by ${maxDifference.toPrecision(3)}, more than the allowed ${TOLERANCE}`,
      );
    }
    return largest;
  });
}

/** Inputs by the model's names. */
function drawInputs(
  { step, data }: TrainedModelState,
  { inputs, multiple }: ModelFilePlan,
  { run, count }: { run: number; count: number },
): HostTensors {
  return Object.fromEntries(inputs.map((name, place): [string, HostTensor] => {
    let shape = step.inputShapes[name];
    if (shape.length === 3 && multiple !== null) {
      const sides = [Math.ceil(8 / multiple) + run, Math.ceil(12 / multiple) + 1 - run];
      shape = [sides[0] * multiple, sides[1] * multiple, shape[2]];
    }
    const size = shape.reduce((product, side) => product * side, 1);
    const values = new Float32Array(count * size);
    const address = { seed: 13 + run, stream: STREAMS.evaluation + place, step: 0 };
    if (name === "latent") fillNormal(values, address);
    else if (name === "words" && data.captions) {
      // As many words as the file's tokens can say: one, two, ...
      for (let i = 0; i < count; i++) values[i * size + (7 * i) % size] = 1 + i % 2;
    } else if (shape.length === 3) {
      fillUniform(values, address).forEach((value, i) => values[i] = 2 * value - 1);
    } else for (let i = 0; i < count; i++) values[i * size + (5 * i) % size] = 1; // one-hot
    return [name, { shape: [count, ...shape], dtype: "float32", data: values }];
  }));
}

function drawNoise(size: number, { count, place }: { count: number; place: number }): HostTensor {
  const data = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    fillNoise(data.subarray(i * size, (i + 1) * size), count * place + i);
  }
  return { shape: [count, size], dtype: "float32", data };
}

/** The same by the file's names, as the file takes it. */
function fileInputs(
  inputs: HostTensors,
  noise: readonly HostTensor[],
  { kind, noise: sizes, places }: ModelFilePlan & { places: number },
): HostTensors {
  const named = Object.entries(inputs).map(([name, tensor]): [string, HostTensor] => {
    if (kind === "translator") return ["image", channelsFirst(tensor)];
    if (kind === "captions" && name === "words") return ["tokens", toTokens(tensor, places)];
    return [name, tensor];
  });
  if (noise.length === 0) return Object.fromEntries(named);
  const count = noise[0].shape[0];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const data = new Float32Array(count * total);
  let first = 0;
  for (const [place, size] of sizes.entries()) {
    for (let i = 0; i < count; i++) {
      data.set(noise[place].data.subarray(i * size, (i + 1) * size), i * total + first);
    }
    first += size;
  }
  return { ...Object.fromEntries(named), noise: { shape: [count, total], dtype: "float32", data } };
}

/** `[n, height, width, channels]` with its channels first. */
function channelsFirst({ shape: [count, height, width, channels], data }: HostTensor): HostTensor {
  const sample = [channels, height, width];
  return {
    shape: [count, ...sample],
    dtype: "float32",
    data: toNCHW(data as Float32Array, sample),
  };
}

function tokenPlaces({ data }: TrainedModelState, { kind }: ModelFilePlan): number {
  return kind === "captions" ? tokenCount(data) : 0;
}

/** Counts of words as the places of words, from 1. */
function toTokens({ shape: [count, words], data }: HostTensor, places: number): HostTensor {
  const tokens = new Int32Array(count * places);
  for (let i = 0; i < count; i++) {
    let place = i * places;
    for (let word = 0; word < words; word++) {
      for (let left = data[i * words + word]; left > 0; left--) tokens[place++] = word + 1;
    }
  }
  return { shape: [count, places], dtype: "int32", data: tokens };
}
