/** Fits a checkpoint's state to a step: parts that were switched on or off since, and the check of all others. */
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
      }; undo the change of optimizer or packing, or start a new run with --from`,
  );
}

/** The parts of a state that a run may do without, and what is said of one that is new. */
const OPTIONAL_PARTS: Readonly<Record<string, string>> = {
  ema: "the EMA is new: it starts from the generator's weights",
  augment: "adaptive augmentation is new: its probability starts where the config says",
};

/**
 * A state with the parts that a config has switched on since, and without those that it has switched off:
 * the EMA, and adaptive augmentation.
 * @param initial the state that the config would start with
 * @returns also one line for each part that is new or gone
 */
export function withSwitchedParts(
  state: HostTensors,
  initial: HostTensors,
): { state: HostTensors; changes: string[] } {
  const result = { ...state };
  const changes: string[] = [];
  for (const [part, news] of Object.entries(OPTIONAL_PARTS)) {
    const of = (tensors: HostTensors) =>
      Object.keys(tensors).filter((name) => name.startsWith(`${part}/`));
    const [had, has] = [of(state), of(initial)];
    if (had.length > 0 && has.length === 0) {
      for (const name of had) delete result[name];
      changes.push(`${part} is off now: what the run had of it is left out of its checkpoints`);
    }
    if (had.length > 0 || has.length === 0) continue;
    for (const name of has) {
      const from = part === "ema" ? state[name.replace("ema/", "generator/")] : undefined;
      const source = from ?? initial[name];
      result[name] = { ...source, data: source.data.slice() };
    }
    changes.push(news);
  }
  return { state: result, changes };
}
