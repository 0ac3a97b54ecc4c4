/** Which generator of a run is exported: that of the last step, of the best checkpoint, or of a step. */
import { columnNames } from "../data/source.ts";
import { unitsOf } from "../data/units.ts";
import { UserError } from "../errors.ts";
import type { GeneratorExportOptions, TrainedGenerator } from "./export_generator.ts";
import type { CompletedTraining } from "./training_run.ts";

/** The generator of a checkpoint; by default that which the config's `evaluation.export` names. */
export async function chosenGenerator(
  { config, data, result, store, trainingStep }: CompletedTraining,
  checkpoint?: GeneratorExportOptions["checkpoint"],
): Promise<TrainedGenerator> {
  const { best } = result;
  const usual = config.evaluation?.export === "best" && best ? "best" : "last";
  const choice = checkpoint ?? usual;
  if (choice === "best" && !best) {
    throw new UserError(
      `Cannot export the best checkpoint of ${store.name}: nothing was evaluated while it was trained; ` +
        "set the config's evaluation, or export the last",
    );
  }
  const step = choice === "best" ? best!.step : choice;
  const { generator } = trainingStep;
  const { state, step: found } = step === "last" ? result : await store.checkpoints.read(step);
  return {
    name: store.name,
    config,
    generator,
    classNames: data.classNames,
    columnNames: columnNames(data.columns),
    columnUnits: unitsOf(data),
    state,
    step: found,
  };
}
