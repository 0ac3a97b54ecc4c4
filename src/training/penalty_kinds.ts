/**
 * Lazy penalties as kinds of step: what an update without a penalty does not need, no engine computes.
 * A kind has a letter for each of the discriminator's updates: `p` with the penalties, `-` without.
 */
import type { RunConfig } from "../config/run_config.ts";

/**
 * The kind of a step (counted from 0): with `penaltyEvery: k` the discriminator's updates 0, k, 2k, ...
 * of the run have the penalties, all of them without it.
 */
export function penaltyKind(config: RunConfig, step: number): string {
  const { penaltyEvery = 1 } = config.objective;
  const turns = config.update.discriminatorSteps;
  return Array.from(
    { length: turns },
    (_, turn) => (step * turns + turn) % penaltyEvery === 0 ? "p" : "-",
  ).join("");
}

/** Whether an update of a step of this kind has the penalties. @param turn counted from 0 */
export function isPenalised(kind: string, turn: number): boolean {
  return kind[turn] === "p";
}

/** Whether a step measures a scalar that others of its run have. */
export function measuresScalar(config: RunConfig, name: string, step: number): boolean {
  return name !== "penalty" || penaltyKind(config, step).includes("p");
}
