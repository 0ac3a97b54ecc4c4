/** Checks that a checkpoint's state has the tensors of a step. */
import { UserError } from "../errors.ts";
import type { HostTensors } from "../tensor/types.ts";

/**
 * Checks that a state has the tensors of a step.
 * @param run names the run in the message
 * @throws {UserError} with the first tensor that does not fit
 */
export function checkStateFits(state: HostTensors, expected: HostTensors, run: string): void {
  const shapeOf = (tensors: HostTensors, name: string): string =>
    Object.hasOwn(tensors, name) ? `[${tensors[name].shape.join(", ")}]` : "nothing";
  const names = [...new Set([...Object.keys(state), ...Object.keys(expected)])];
  const misfit = names.find((name) => shapeOf(state, name) !== shapeOf(expected, name));
  if (misfit === undefined) return;
  throw new UserError(
    `Cannot resume ${run}: of ${misfit} the checkpoint has ${
      shapeOf(state, misfit)
    }, and this config ` +
      `needs ${
        shapeOf(expected, misfit)
      }; undo the change of optimizer, EMA, packing or adaptive ` +
      "augmentation, or start a new run",
  );
}
