/** From the data and the config to the inputs of each step. */
import type { RunConfig } from "../config/run_config.ts";
import { shuffledBatches } from "../data/order.ts";
import type { DataSource } from "../data/source.ts";
import type { StepInputs } from "../engine/types.ts";
import { UserError } from "../errors.ts";
import type { Course } from "./host_inputs.ts";
import type { TrainingStep } from "./step.ts";

/** What batches are made from. */
export interface FeedSetup {
  config: RunConfig;
  data: DataSource;
  trainingStep: TrainingStep;
}

/**
 * Makes the inputs of a step, counted from 0: the batch, and what the host computes.
 * @throws {UserError} when a conditional network gets data without labels
 */
export function batchFeed(
  { config, data, trainingStep }: FeedSetup,
): (step: number, course: Course) => StepInputs {
  const { samplesPerStep, usesLabels } = trainingStep;
  const order = shuffledBatches({
    count: data.count,
    batchSize: samplesPerStep,
    seed: config.seed,
  });
  return (step, course) => {
    const indices = order.indices(step);
    const { values, labels } = data.batch(indices);
    const inputs: StepInputs = { real: values, ...trainingStep.hostInputs(step, course) };
    if (usesLabels) {
      if (!labels) {
        throw new UserError("Cannot train a conditional network: the data has no labels");
      }
      inputs.labels = labels;
    }
    return inputs;
  };
}
