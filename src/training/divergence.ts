/**
 * What a run does when its numbers blow up: back to the last good state with smaller learning rates, so
 * many times, then a clear stop. Which state is good, how often it went back and how small the rates are
 * is in every checkpoint, so a run that is killed and resumed takes the same turns.
 */
import type { DivergenceSpec } from "../config/stability.ts";
import type { HostTensors } from "../tensor/types.ts";
import { TrainingDivergedError } from "../errors.ts";
import type { Network } from "../nn/mod.ts";

/** A number that no run should have. */
export interface Fault {
  /** Steps done when it was there. */
  step: number;
  /** Such as `dLoss is NaN`. */
  what: string;
}

/** How a run fared so far; part of a checkpoint. */
export interface Rollbacks {
  /** How often it went back. */
  rollbacks: number;
  /** What its learning rates are multiplied by since. */
  learningRateFactor: number;
}

/** Root mean square of each player's trained weights. */
type Sizes = Record<"generator" | "discriminator", number>;

const DEFAULT_GROWTH = 100;

/** Watches a run. Give it every good state, then ask it about the next one. */
export class DivergenceGuard {
  readonly #spec: DivergenceSpec;
  readonly #networks: Record<keyof Sizes, Network>;
  #rollbacks: Rollbacks;
  #good: Sizes | undefined;

  /**
   * @param spec without one a run stops at its first fault
   * @param before what a checkpoint says of the run
   */
  constructor(
    spec: DivergenceSpec | undefined,
    networks: { generator: Network; discriminator: Network },
    before: Partial<Rollbacks> = {},
  ) {
    this.#spec = spec ?? { retries: 0, factor: 0.5, growth: Infinity };
    this.#networks = networks;
    this.#rollbacks = {
      rollbacks: before.rollbacks ?? 0,
      learningRateFactor: before.learningRateFactor ?? 1,
    };
  }

  /** How the run fared so far. */
  get rollbacks(): Rollbacks {
    return this.#rollbacks;
  }

  /** How often the run may still go back. */
  get retriesLeft(): number {
    return Math.max(0, this.#spec.retries - this.#rollbacks.rollbacks);
  }

  /** Takes a state as one to go back to, and to measure growth by. */
  accept(state: HostTensors): void {
    this.#good = this.#sizes(state);
  }

  /** The first number of a state that is not finite, or a player whose weights exploded. */
  inspect(state: HostTensors, step: number): Fault | undefined {
    for (const [name, { data }] of Object.entries(state)) {
      const index = data.findIndex((value) => !Number.isFinite(value));
      if (index >= 0) return { step, what: `${name} holds ${data[index]}` };
    }
    if (!this.#good) return undefined;
    const sizes = this.#sizes(state);
    const { growth = DEFAULT_GROWTH } = this.#spec;
    for (const player of ["generator", "discriminator"] as const) {
      const before = this.#good[player];
      if (sizes[player] <= growth * Math.max(before, 1)) continue;
      const what = `the ${player}'s weights exploded from a root mean square of ` +
        `${before.toPrecision(3)} to ${sizes[player].toPrecision(3)}`;
      return { step, what };
    }
    return undefined;
  }

  /**
   * Counts a step back, with smaller learning rates from now on.
   * @param good for the message: the state that the run goes back to
   * @throws {TrainingDivergedError} when the run went back as often as it may
   */
  goBack({ step, what }: Fault, good: string): Rollbacks {
    const { rollbacks, learningRateFactor } = this.#rollbacks;
    if (this.retriesLeft > 0) {
      this.#rollbacks = {
        rollbacks: rollbacks + 1,
        learningRateFactor: learningRateFactor * this.#spec.factor,
      };
      return this.#rollbacks;
    }
    const tried = rollbacks === 0
      ? ""
      : `, also after going back ${rollbacks} times, at last with learning rates times ` +
        `${learningRateFactor}`;
    throw new TrainingDivergedError(
      `Training stopped at step ${step} because ${what}${tried}; ${good}; ` +
        "try a smaller learning rate, such as --set generatorOptimizer.learningRate=1e-4",
      step,
    );
  }

  #sizes(state: HostTensors): Sizes {
    const sizeOf = (player: keyof Sizes): number => {
      let [squares, count] = [0, 0];
      for (const { name, trainable } of this.#networks[player].parameters) {
        if (!trainable) continue;
        const { data } = state[`${player}/${name}`];
        for (let i = 0; i < data.length; i++) squares += data[i] * data[i];
        count += data.length;
      }
      return Math.sqrt(squares / Math.max(1, count));
    };
    return { generator: sizeOf("generator"), discriminator: sizeOf("discriminator") };
  }
}

/**
 * The first scalar that is not finite.
 * @param measured for each scalar, its values at consecutive steps
 * @param firstStep steps done before the first of them
 * @param measures whether a step has a scalar: NaN says nothing where it has not
 */
export function scalarFault(
  measured: Record<string, Float32Array>,
  firstStep: number,
  measures: (scalar: string, step: number) => boolean = () => true,
): Fault | undefined {
  const faults = Object.entries(measured).flatMap(([name, values]): Fault[] => {
    const index = values.findIndex((value, i) =>
      !Number.isFinite(value) && measures(name, firstStep + i)
    );
    return index < 0 ? [] : [{ step: firstStep + index + 1, what: `${name} is ${values[index]}` }];
  });
  return faults.sort((a, b) => a.step - b.step)[0];
}
