/**
 * What a run does when it diverges: it is rolled back to the last good state with smaller learning rates,
 * a limited number of times, then stops. The good state, the number of rollbacks and the factor of the
 * rates are in every checkpoint, so a run that is killed and resumed behaves the same.
 */
import { DEFAULTS } from "../config/defaults.ts";
import type { RollbackEvent } from "./store.ts";
import type { DivergenceSpec } from "../config/stability.ts";
import type { HostTensors } from "../tensor/types.ts";
import { TrainingDivergedError } from "../errors.ts";
import type { Network } from "../nn/mod.ts";

/** A value that no run should have. */
export interface Fault {
  /** Steps done when it was there. */
  step: number;
  /** Such as `dLoss is NaN`. */
  what: string;
}

/** How often a run was rolled back; part of a checkpoint. */
export interface Rollbacks {
  /** How often it was rolled back. */
  rollbacks: number;
  /** The factor of its learning rates since then. */
  learningRateFactor: number;
}

/** Root mean square of each network's trained weights. */
type WeightSizes = Record<string, number>;

const STOP_AT_ONCE: DivergenceSpec = { retries: 0, factor: 0.5, growth: Infinity };

/** Watches a run: it accepts good states, and inspects the next ones against them. */
export class DivergenceGuard {
  readonly #spec: DivergenceSpec;
  readonly #networks: Readonly<Record<string, Network>>;
  #rollbacks: Rollbacks;
  #good: WeightSizes | undefined;

  /**
   * @param networks by the prefixes of their parameters in the state
   * @param options.spec without one a run stops at its first fault
   * @param options.resumed what a checkpoint says of earlier rollbacks
   */
  constructor(
    networks: Readonly<Record<string, Network>>,
    { spec = STOP_AT_ONCE, resumed = {} }: {
      spec?: DivergenceSpec;
      resumed?: Partial<Rollbacks>;
    } = {},
  ) {
    this.#spec = spec;
    this.#networks = networks;
    this.#rollbacks = {
      rollbacks: resumed.rollbacks ?? 0,
      learningRateFactor: resumed.learningRateFactor ?? 1,
    };
  }

  /** How often the run was rolled back so far. */
  get rollbacks(): Rollbacks {
    return this.#rollbacks;
  }

  /** How often the run may still be rolled back. */
  get retriesLeft(): number {
    return Math.max(0, this.#spec.retries - this.#rollbacks.rollbacks);
  }

  /** Accepts a state as one to roll back to, and to measure growth by. */
  accept(state: HostTensors): void {
    this.#good = this.#sizes(state);
  }

  /** The first value of a state that is not finite, or a network whose weights exploded. */
  inspect(state: HostTensors, step: number): Fault | undefined {
    for (const [name, { data }] of Object.entries(state)) {
      const index = data.findIndex((value) => !Number.isFinite(value));
      if (index >= 0) return { step, what: `${name} holds ${data[index]}` };
    }
    if (!this.#good) return undefined;
    const sizes = this.#sizes(state);
    const { growth = DEFAULTS.divergence.growth } = this.#spec;
    for (const network of Object.keys(this.#networks)) {
      const before = this.#good[network];
      if (sizes[network] <= growth * Math.max(before, 1)) continue;
      const what = `the ${network}'s weights exploded from a root mean square of ` +
        `${before.toPrecision(3)} to ${sizes[network].toPrecision(3)}`;
      return { step, what };
    }
    return undefined;
  }

  /**
   * Counts a rollback, with smaller learning rates from now on.
   * @param good for the message: the state that the run is rolled back to
   * @throws {TrainingDivergedError} when the run was rolled back as often as it may be
   */
  rollBack({ step, what }: Fault, good: string): Rollbacks {
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
      : `, also after ${rollbacks} rollbacks, at last with learning rates times ` +
        `${learningRateFactor}`;
    throw new TrainingDivergedError(
      `Training stopped at step ${step} because ${what}${tried}; ${good}; ` +
        "try a smaller learning rate, such as --set generatorOptimizer.learningRate=1e-4",
      step,
    );
  }

  #sizes(state: HostTensors): WeightSizes {
    return Object.fromEntries(
      Object.keys(this.#networks).map((network) => [network, this.#size(state, network)]),
    );
  }

  #size(state: HostTensors, network: string): number {
    let squares = 0;
    let count = 0;
    for (const { name, trainable } of this.#networks[network].parameters) {
      if (!trainable) continue;
      const { data } = state[`${network}/${name}`];
      for (let i = 0; i < data.length; i++) squares += data[i] * data[i];
      count += data.length;
    }
    return Math.sqrt(squares / Math.max(1, count));
  }
}

/** Which steps a scalar is expected at. */
export interface ScalarExpectations {
  /** Steps done before the first value. */
  firstStep: number;
  /** Whether a step measures a scalar; NaN is no fault where it does not. Default: every step does. */
  measures?: (scalar: string, step: number) => boolean;
}

/**
 * The first scalar that is not finite.
 * @param measured for each scalar, its values at consecutive steps
 */
export function scalarFault(
  measured: Record<string, Float32Array>,
  { firstStep, measures = () => true }: ScalarExpectations,
): Fault | undefined {
  let first: Fault | undefined;
  for (const [name, values] of Object.entries(measured)) {
    const index = values.findIndex((value, i) =>
      !Number.isFinite(value) && measures(name, firstStep + i)
    );
    const step = firstStep + index + 1;
    if (index < 0 || (first && first.step <= step)) continue;
    first = { step, what: `${name} is ${values[index]}` };
  }
  return first;
}

/** What a rollback says to the person. */
export function rollbackWarning(event: RollbackEvent): string {
  const { step, fault, to, learningRateFactor, retriesLeft } = event;
  return `training diverged at step ${step} (${fault}): rolled back to step ${to} with learning rates ` +
    `times ${learningRateFactor}; ${retriesLeft} more tries`;
}
