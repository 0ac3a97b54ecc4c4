/**
 * Lazy penalties as kinds of steps: what an update without a penalty does not need, no engine computes.
 * Steps whose discriminator updates have the penalties at the same places are of one kind.
 */
import type { RunConfig } from "../config/run_config.ts";

/** Steps that do the same work. */
export interface StepKind {
  /** Identifies the kind, for engines and messages: "every update penalized". */
  readonly name: string;
  /** For each of the step's discriminator updates, whether it has the objective's penalties. */
  readonly penalized: readonly boolean[];
}

/** What decides which update has penalties. */
export interface StepKindsConfig {
  readonly objective: Pick<RunConfig["objective"], "penaltyEvery">;
  readonly update: Pick<RunConfig["update"], "discriminatorSteps">;
}

/** The kinds of steps that a run has. */
export class StepKinds {
  readonly #period: number;
  readonly #updatesPerStep: number;
  readonly #byName = new Map<string, StepKind>();

  constructor({ objective, update }: StepKindsConfig) {
    this.#period = objective.penaltyEvery ?? 1;
    this.#updatesPerStep = update.discriminatorSteps;
    // Which updates of a step have penalties repeats after as many steps as the period has updates.
    for (let step = 0; step < this.#period; step++) {
      const kind = this.at(step);
      this.#byName.set(kind.name, kind);
    }
  }

  /**
   * The kind of a step (counted from 0): with `penaltyEvery: k` the discriminator's updates 0, k, 2k, ...
   * of the run have the penalties, all of them without it.
   */
  at(step: number): StepKind {
    const first = step * this.#updatesPerStep;
    const penalized = Array.from(
      { length: this.#updatesPerStep },
      (_, update) => (first + update) % this.#period === 0,
    );
    return { name: kindName(penalized), penalized };
  }

  /** @throws {RangeError} when the run has no kind of this name */
  named(name: string): StepKind {
    const kind = this.#byName.get(name);
    if (kind) return kind;
    const known = [...this.#byName.keys()].join(", ");
    throw new RangeError(`There is no kind of step "${name}": the run has ${known}`);
  }

  /** Whether a step (counted from 0) measures a scalar that other steps of its run have. */
  measures(scalar: string, step: number): boolean {
    return scalar !== "penalty" || this.at(step).penalized.includes(true);
  }
}

function kindName(penalized: readonly boolean[]): string {
  if (!penalized.includes(true)) return "no update penalized";
  if (!penalized.includes(false)) return "every update penalized";
  const updates = penalized.flatMap((isPenalized, update) => isPenalized ? [update + 1] : []);
  return `update ${updates.join(", ")} of ${penalized.length} penalized`;
}
