/** Trains presets in several simulated ranks, and says how far their weights are from those of one process. */
import type { RunConfig } from "../../src/config/run_config.ts";
import { createOnnxEngine } from "../../src/engine/onnx/mod.ts";
import type { Engine, StepInputs } from "../../src/engine/types.ts";
import type { HostTensors } from "../../src/tensor/types.ts";
import type { RankShare } from "../../src/training/rank_share.ts";
import { buildTrainingStep, type TrainingStep } from "../../src/training/step.ts";
import { caseBatches } from "../training/preset_cases.ts";
import { simulatedRanks } from "./simulated_ranks.ts";

const CLASSES = 10;

/** What ranks came to. */
export interface Outcome {
  losses: Record<string, Float32Array>;
  state: HostTensors;
}

/** The step of a rank, or of one process. */
export function stepOf(config: RunConfig, share?: RankShare): TrainingStep {
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

const openOnnx = () => createOnnxEngine({ threads: 1, runtime: "web" });

/** Trains a preset in several ranks of one process. */
export async function trainRanks(
  config: RunConfig,
  { open = openOnnx, ranks, steps, seed, sync = false }: {
    /** Opens an engine for each rank. */
    open?: () => Promise<Engine>;
    ranks: number;
    steps: number;
    seed: number;
    sync?: boolean;
  },
): Promise<Outcome[]> {
  const batches = caseBatches(stepOf(config), { steps, seed });
  const collectives = simulatedRanks(ranks);
  return await Promise.all(collectives.map(async (collective, index): Promise<Outcome> => {
    const engine = await open();
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
export function distance(
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
      : length(errors) / Math.max(length(data), 1);
    if (error > worst) [worst, where] = [error, name];
  }
  return { worst, where };
}

const length = (values: ArrayLike<number>): number => {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += values[i] ** 2;
  return Math.sqrt(squares);
};
