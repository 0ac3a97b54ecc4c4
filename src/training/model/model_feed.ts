/** From the data of a model to the inputs of each of its steps. */
import { modelBatches, type ModelData } from "../../data/model_data.ts";
import type { StepInputs } from "../../engine/types.ts";
import type { BatchFeed } from "../batch_feed.ts";
import type { ModelStep } from "./model_step.ts";

/** The input that holds conditions of rows. */
const CONDITION = "condition";

/** One sample's shape of each input that is data. */
export function inputShapesOf(data: ModelData): Record<string, readonly number[]> {
  const shapes = Object.fromEntries(
    Object.entries(data.inputs).map(([name, { shape }]) => [name, shape]),
  );
  if (data.table) shapes[CONDITION] = [data.table.conditions.width];
  return shapes;
}

/** What batches are made from. */
export interface ModelFeedSetup {
  /** Decides the order of the samples. */
  seed: number;
  data: ModelData;
  step: ModelStep;
}

/**
 * Joins data and step. Sources that lie in memory become pools, from which the engine picks.
 * @throws {UserError} when there are fewer samples than a batch takes
 */
export function modelFeed({ seed, data, step }: ModelFeedSetup): BatchFeed {
  const { program, dataInputs, samplesPerStep } = step;
  const sources = dataInputs.filter((name) => name !== CONDITION);
  const batchAt = modelBatches(data, { batchSize: samplesPerStep, seed });
  const inputs = { ...program.inputs };
  for (const name of sources) {
    const { stored } = data.inputs[name];
    if (stored) inputs[name] = { ...inputs[name], pool: stored };
  }
  return {
    program: { ...program, inputs },
    inputs(number, context) {
      const { indices, condition } = batchAt(number);
      const given: StepInputs = step.hostInputs(number, context);
      for (const name of sources) {
        const { stored, batch } = data.inputs[name];
        given[name] = stored ? stored.rowsOf(indices[name]) : batch(indices[name]).values;
      }
      if (condition && dataInputs.includes(CONDITION)) given[CONDITION] = condition;
      return given;
    },
  };
}
