/** From the data and the config to the inputs of each step. */
import { shuffledBatches } from "../data/order.ts";
import type { DataSource } from "../data/source.ts";
import type { StepInputs, StepProgram } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import type { ScheduleContext } from "./host_inputs.ts";
import type { TrainingStep } from "./step.ts";

/** What batches are made from. */
export interface FeedSetup {
  /** Decides the order of the samples. */
  seed: number;
  data: DataSource;
  trainingStep: TrainingStep;
}

/** A step that reads a run's data, and its inputs at each step. */
export interface BatchFeed {
  /** The step; its real samples come from a pool where the data is kept in memory as one. */
  program: StepProgram;
  /** The inputs of a step, counted from 0: the batch, and what the host computes. */
  inputs(step: number, context: ScheduleContext): StepInputs;
}

/**
 * Joins data and step.
 * @throws {UserError} when a conditional network gets data without labels
 */
export function batchFeed({ seed, data, trainingStep }: FeedSetup): BatchFeed {
  const { ownPositions, program, samplesPerStep, usesLabels } = trainingStep;
  const { labels, stored } = data;
  if (usesLabels && !labels) {
    throw new UserError("Cannot train a conditional network: the data has no labels");
  }
  const order = shuffledBatches({
    count: data.count,
    batchSize: samplesPerStep,
    seed,
  });
  const ownIndices = (step: number): Uint32Array => {
    const whole = order.indices(step);
    return ownPositions ? ownPositions.map((position) => whole[position]) : whole;
  };
  const announce = readAhead(stored, ownIndices, ownPositions?.length ?? samplesPerStep);
  const pooled = { ...program.inputs, real: { ...program.inputs.real, pool: stored } };
  return {
    program: stored ? { ...program, inputs: pooled } : program,
    inputs(step, context) {
      announce(step);
      const indices = ownIndices(step);
      const real = stored ? stored.rowsOf(indices) : data.batch(indices).values;
      const inputs: StepInputs = { real, ...trainingStep.hostInputs(step, context) };
      if (usesLabels) inputs.labels = Int32Array.from(indices, (index) => labels![index]);
      return inputs;
    },
  };
}

/**
 * Says to a stream of samples which rows the coming steps will take, so that they are read while others
 * run. A step out of sequence, as after a divergence, starts anew.
 * @returns called before each step's inputs are made
 */
function readAhead(
  stored: DataSource["stored"],
  indicesOf: (step: number) => Uint32Array,
  samplesPerStep: number,
): (step: number) => void {
  if (!stored || !("count" in stored.rows)) return () => {};
  const { rows, rowsOf, rowsPerSample } = stored;
  const ahead = rows.requestsAhead(samplesPerStep * rowsPerSample);
  let expected: number | undefined;
  let announced = 0;
  return (step) => {
    if (step !== expected) {
      rows.restart();
      announced = step;
    }
    while (announced <= step + ahead) rows.readAhead(rowsOf(indicesOf(announced++)));
    expected = step + 1;
  };
}
