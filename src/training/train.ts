/**
 * The training loop, top to bottom: run a chunk of steps on the engine, check the losses, and at the
 * scheduled steps show samples, measure them and save a checkpoint. A run that diverges is rolled back
 * (divergence.ts). The parts are in session.ts.
 */
import { TrainingSession } from "./session.ts";
import type { TrainingControl, TrainingResult, TrainingSetup } from "./train_types.ts";

export type * from "./train_types.ts";

/**
 * Trains until the config's last step, or until the signal.
 * @throws {TrainingDivergedError} when the run diverged as often as the config allows; names the last
 * good checkpoint
 * @throws {DeviceLostError} when the GPU was lost; names the last good checkpoint too
 * @throws {StorageError} when a file cannot be written
 * @throws {UserError} when the checkpoint to resume is not of this config
 */
export async function train(
  setup: TrainingSetup,
  control: TrainingControl = {},
): Promise<TrainingResult> {
  const session = await TrainingSession.open(setup, control);
  try {
    if (session.step === 0) await session.showSnapshot();
    for (;;) {
      await session.agree();
      const { isEvaluationDue } = session;
      if (isEvaluationDue || session.mustEnd) {
        const state = await session.readGoodState();
        if (!state) continue; // rolled back
        // A kill while measuring must not take the run's result with it.
        if (session.isComplete) await session.save(state);
        if (isEvaluationDue) await session.evaluate(state);
        if (session.mustEnd) {
          await session.save(state);
          return session.result(state);
        }
      }
      const isGood = await session.runChunk();
      if (isGood) await session.saveAndShow();
    }
  } catch (error) {
    throw session.explain(error);
  } finally {
    await session.dispose();
  }
}
