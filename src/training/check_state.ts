/** Fits a checkpoint's state to a step: parts that were switched on or off since, and the check of all others. */
import { UserError } from "../errors.ts";
import type { HostTensors } from "../tensor/types.ts";
import type { Checkpoint, OptimizersSince } from "./store.ts";

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
      }; undo the change of packing or networks, or start a new run with --from`,
  );
}

/** The parts of a state that a run may do without, and what is said of one that is new. */
const OPTIONAL_PARTS: Readonly<Record<string, string>> = {
  ema: "the EMA is new: it starts from the generator's weights",
  augment: "adaptive augmentation is new: its probability starts where the config says",
};

/** What of a checkpoint depends on the parts that a config has. */
export type Switchable = Pick<Checkpoint, "state" | "step" | "optimizersSince">;

/**
 * A checkpoint with the parts that a config has switched on since, and without those that it has switched off:
 * the EMA, adaptive augmentation, and the state of an optimizer of another type.
 * @param initial the state that the config would start with
 * @returns also one line for each part that is new or gone
 */
export function withSwitchedParts<Stored extends Switchable>(
  checkpoint: Stored,
  initial: HostTensors,
): { checkpoint: Stored & Switchable; changes: string[] } {
  const { state, step } = checkpoint;
  const result = { ...state };
  const changes: string[] = [];
  for (const [part, news] of Object.entries(OPTIONAL_PARTS)) {
    const [had, has] = [namesOf(part, state), namesOf(part, initial)];
    if (had.length > 0 && has.length === 0) {
      for (const name of had) delete result[name];
      changes.push(`${part} is off now: what the run had of it is left out of its checkpoints`);
    }
    if (had.length > 0 || has.length === 0) continue;
    for (const name of has) {
      const from = part === "ema" ? state[name.replace("ema/", "generator/")] : undefined;
      result[name] = copyOf(from ?? initial[name]);
    }
    changes.push(news);
  }
  const since: OptimizersSince = { ...checkpoint.optimizersSince };
  for (const network of ["generator", "discriminator"] as const) {
    const part = `${network}Optimizer`;
    const [had, has] = [namesOf(part, state), namesOf(part, initial)];
    if (had.join() === has.join()) continue;
    for (const name of had) delete result[name];
    for (const name of has) result[name] = copyOf(initial[name]);
    since[network] = step;
    changes.push(`the ${network}'s optimizer is another: it starts without state`);
  }
  const optimizersSince = Object.keys(since).length > 0 ? since : undefined;
  return {
    checkpoint: { ...checkpoint, state: result, ...(optimizersSince ? { optimizersSince } : {}) },
    changes,
  };
}

/** The names of a part's tensors, sorted. */
function namesOf(part: string, tensors: HostTensors): string[] {
  return Object.keys(tensors).filter((name) => name.startsWith(`${part}/`)).sort();
}

function copyOf(tensor: HostTensors[string]): HostTensors[string] {
  return { ...tensor, data: tensor.data.slice() };
}
