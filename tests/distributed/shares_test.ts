/**
 * Steps of several ranks against the same steps of one: each rank has its part of the batch and draws its
 * part of the random numbers, so that weights agree but for rounding.
 */
import { assertEquals, assertLess, assertThrows } from "@std/assert";
import type { RunConfig } from "../../src/config/run_config.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import type { StepInputs } from "../../src/engine/types.ts";
import { UserError } from "../../src/errors.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import type { RankShare } from "../../src/training/rank_share.ts";
import { buildTrainingStep, type TrainingStep } from "../../src/training/step.ts";
import { caseBatches, PRESET_CASES, smoothly } from "../training/preset_cases.ts";
import { simulatedRanks } from "./simulated_ranks.ts";

const CLASSES = 10;

interface Outcome {
  losses: Record<string, Float32Array>;
  state: HostTensors;
}

function stepOf(config: RunConfig, share?: RankShare): TrainingStep {
  const sample = {
    shape: config.discriminator.inputShape,
    classCount: config.conditional ? CLASSES : undefined,
  };
  return buildTrainingStep(config, sample, { share });
}

/** The part of a step's inputs that a rank has. */
function ownInputs(step: TrainingStep, whole: StepInputs): StepInputs {
  const { ownPositions, samplesPerStep } = step;
  if (!ownPositions) return whole;
  const pick = <Values extends Float32Array | Int32Array>(values: Values): Values => {
    const size = values.length / samplesPerStep;
    const parts = Array.from(
      ownPositions,
      (at) => [...values.subarray(at * size, (at + 1) * size)],
    );
    return (values.constructor as typeof Float32Array).from(parts.flat()) as Values;
  };
  const labels = whole.labels && { labels: pick(whole.labels as Int32Array) };
  return { ...whole, real: pick(whole.real as Float32Array), ...labels };
}

async function trainRanks(
  config: RunConfig,
  { ranks, steps, seed, sync = false }: {
    ranks: number;
    steps: number;
    seed: number;
    sync?: boolean;
  },
): Promise<Outcome[]> {
  const batches = caseBatches(stepOf(config), { steps, seed });
  const collectives = simulatedRanks(ranks);
  return await Promise.all(collectives.map(async (collective, index): Promise<Outcome> => {
    const engine = await createOnnxEngine({ threads: 1, runtime: "web" });
    const share = { index, count: ranks, averagesGradients: true, syncBatchNorm: sync };
    const step = stepOf(config, ranks === 1 ? undefined : share);
    const program = { ...step.program, collective };
    const compiled = await engine.compileStep(program, step.initialState(seed), seed);
    const losses = await compiled.run(batches.map((batch) => ownInputs(step, batch)), 0);
    const state = await compiled.readState();
    await engine.dispose();
    return { losses, state };
  }));
}

/**
 * How far weights are apart: of each tensor the largest difference of two elements, or that of the whole
 * tensors, |a - b| / |b|. Adam makes full steps of gradients that are all rounding, so elements of
 * networks with batch norm, through which every rounding spreads, are held to the second.
 */
function distance(
  a: HostTensors,
  b: HostTensors,
  by: "element" | "tensor",
): { worst: number; where: string } {
  let worst = 0;
  let where = "";
  for (const [name, { data }] of Object.entries(a)) {
    if (/^(generator|discriminator)Optimizer\//.test(name)) continue; // not weights
    const errors = Array.from(data, (value, i) => Math.abs(value - b[name].data[i]));
    const error = by === "element"
      ? errors.reduce((worst, each) => Math.max(worst, each), 0)
      : length(errors) / Math.max(length(data), 1e-3);
    if (error > worst) [worst, where] = [error, name];
  }
  return { worst, where };
}

const length = (values: ArrayLike<number>): number => {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] ** 2;
  return Math.sqrt(squares);
};

const hasBatchNorm = (config: RunConfig) => JSON.stringify(config).includes("batch-norm");

for (const [name, preset] of Object.entries(PRESET_CASES)) {
  const sync = hasBatchNorm(preset);
  const config = sync
    ? {
      ...preset,
      batchSize: preset.discriminator.inputShape.length === 1 ? 32 : 4,
      generator: smoothly(preset.generator),
      discriminator: smoothly(preset.discriminator),
    }
    : { ...preset, batchSize: 4 };
  Deno.test(`steps of ${name} by 2 ranks give the weights of one${sync ? ", by synced batch norm" : ""}`, async () => {
    const choice = { steps: sync ? 6 : 20, seed: 1 };
    const [whole] = await trainRanks(config, { ...choice, ranks: 1 });
    const [first, second] = await trainRanks(config, { ...choice, ranks: 2, sync });
    assertEquals(first.state, second.state);
    assertEquals(first.losses, second.losses);
    const { worst, where } = distance(whole.state, first.state, sync ? "tensor" : "element");
    assertLess(worst, 1e-5, where);
  });
}

Deno.test("a batch that ranks cannot share is refused, with sizes that they can", () => {
  const share = (count: number) => ({
    index: 0,
    count,
    averagesGradients: true,
    syncBatchNorm: false,
  });
  const config = { ...PRESET_CASES["ring-2d"], batchSize: 64 };
  const error = assertThrows(() => stepOf(config, share(3)), UserError);
  assertEquals(
    error.message,
    "Cannot cut a batch of 64 samples among 3 processes: each takes as many; use a batchSize of 63 or 66, " +
      "or another number of processes",
  );
  assertThrows(
    () => stepOf({ ...config, batchSize: 8 }, share(12)),
    UserError,
    "use a batchSize of 12, or",
  );
});
