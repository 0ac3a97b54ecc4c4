/**
 * The order in which training sees the data: a new shuffle every epoch. It follows from the seed and
 * the step's number alone, so a resumed run needs no state to go on where it stopped.
 */
import { UserError } from "../errors.ts";
import { permutation, STREAMS } from "../random/counter_random.ts";

/** What an order depends on. */
export interface OrderOptions {
  /** How many samples there are. */
  count: number;
  /** How many samples a step takes. */
  batchSize: number;
  /** Another seed gives another order. */
  seed: number;
}

/** Which samples each step takes. */
export interface BatchOrder {
  /** Steps of an epoch; the last, incomplete batch is left out. */
  readonly stepsPerEpoch: number;
  /** The epoch, from 0, that a step belongs to. */
  epochOf(step: number): number;
  /**
   * The samples of one step.
   * @param step counts from 0 over the whole run
   * @returns `[batchSize]` sample numbers; a view that stays valid
   */
  indices(step: number): Uint32Array;
}

/**
 * The shuffled order of `count` samples in batches. Steps may be asked for in any sequence; going
 * through them in order shuffles once an epoch.
 *
 * @throws {UserError} when there are fewer samples than a batch takes
 */
export function shuffledBatches({ count, batchSize, seed }: OrderOptions): BatchOrder {
  const stepsPerEpoch = Math.floor(count / batchSize);
  if (stepsPerEpoch === 0) {
    throw new UserError(
      `A batch of ${batchSize} is larger than the data set, which has ${count} ` +
        `${count === 1 ? "sample" : "samples"}: choose a batch of at most ${count}`,
    );
  }
  // Two epochs, because samples are read ahead over the end of one. Even and odd ones take turns.
  const epochs: { epoch: number; order: Uint32Array }[] = [];
  function orderOf(epoch: number): Uint32Array {
    const known = epochs[epoch % 2];
    if (known?.epoch === epoch) return known.order;
    const order = epochOrder(count, { seed, epoch });
    epochs[epoch % 2] = { epoch, order };
    return order;
  }
  return {
    stepsPerEpoch,
    epochOf: (step) => Math.floor(step / stepsPerEpoch),
    indices(step) {
      const epoch = Math.floor(step / stepsPerEpoch);
      const first = (step - epoch * stepsPerEpoch) * batchSize;
      return orderOf(epoch).subarray(first, first + batchSize);
    },
  };
}

/** The order of all samples in one epoch, counted from 0. */
export function epochOrder(
  count: number,
  { seed, epoch }: { seed: number; epoch: number },
): Uint32Array {
  return permutation(count, { seed, stream: STREAMS.shuffle, step: epoch });
}

/**
 * A seeded pick of `wanted` of `count` things, in their own sequence: which samples a run uses that
 * asks for fewer than there are.
 */
export function randomSubset(
  count: number,
  { wanted, seed }: { wanted: number; seed: number },
): Uint32Array {
  return permutation(count, { seed, stream: STREAMS.data, step: 0 }).subarray(0, wanted).sort();
}
