/**
 * A step of one of several processes: which samples of the batch are its own, random numbers that do not
 * depend on how many processes there are, and what the processes average.
 */
import { UserError } from "../errors.ts";
import type { RunConfig } from "../config/run_config.ts";
import type { DrawRows } from "../random/draw_rows.ts";
import { allReduceMeans } from "../tensor/all_reduce.ts";
import type { tf } from "../tensor/tf.ts";
import type { StepRandom, TensorMap } from "../tensor/types.ts";

/** Which part of each batch a process has. */
export interface RankShare {
  /** The process's number, from 0. */
  index: number;
  /** How many processes there are. */
  count: number;
  /** Whether each update averages gradients; where not, the caller averages weights now and then. */
  averagesGradients: boolean;
  /** Whether batch norm takes its statistics over the whole batch. */
  syncBatchNorm: boolean;
}

/**
 * The batch of one process.
 * @throws {UserError} when the processes cannot have as many samples each
 */
export function ownBatchSize(
  { batchSize, pack = 1 }: Pick<RunConfig, "batchSize" | "pack">,
  { count }: RankShare,
): number {
  const unit = count * pack;
  if (batchSize % unit === 0) return batchSize / count;
  const packs = pack > 1 ? ` in packs of ${pack}` : "";
  const below = Math.floor(batchSize / unit) * unit;
  const sizes = below > 0 ? `${below} or ${below + unit}` : String(unit);
  throw new UserError(
    `Cannot cut a batch of ${batchSize} samples among ${count} processes${packs}: each takes as many; ` +
      `use a batchSize of ${sizes}, or another number of processes`,
  );
}

/**
 * The places of a process's samples among those of a step, which has one batch for each of its
 * discriminator updates.
 */
export function ownPositions(
  { batchSize, update }: Pick<RunConfig, "batchSize" | "update">,
  { index, count }: RankShare,
): Uint32Array {
  const own = batchSize / count;
  return Uint32Array.from(
    { length: update.discriminatorSteps * own },
    (_, i) => Math.floor(i / own) * batchSize + index * own + i % own,
  );
}

/** Draws for a process's own samples what one process would draw for them. */
class ShareRandom implements StepRandom {
  readonly #random: StepRandom;
  readonly #rows: DrawRows;

  constructor(random: StepRandom, rows: DrawRows) {
    this.#random = random;
    this.#rows = rows;
  }

  uniform(shape: number[]): tf.Tensor {
    return this.#random.uniform(shape, this.#rows);
  }

  normal(shape: number[]): tf.Tensor {
    return this.#random.normal(shape, this.#rows);
  }

  /** For a batch that is made of several, one after another. */
  inParts(parts: number): StepRandom {
    return new ShareRandom(this.#random, { ...this.#rows, parts });
  }
}

/** Random numbers of a process's share; without one, all of them. */
export function shareRandom(random: StepRandom, share: RankShare | undefined): StepRandom {
  if (!share) return random;
  return new ShareRandom(random, { share: share.index, shares: share.count, parts: 1 });
}

/** Random numbers for a batch that is made of `parts` batches. */
export function randomInParts(random: StepRandom | undefined, parts: number) {
  return random instanceof ShareRandom ? random.inParts(parts) : random;
}

/** What one update of a network has computed of its own samples, which all processes average. */
export interface UpdateOutcome {
  /** Gradients by parameter. */
  grads: TensorMap;
  /** New values of buffers, such as running statistics, by network. */
  generatorBuffers: TensorMap;
  discriminatorBuffers: TensorMap;
  /** What is measured. */
  scalars: TensorMap;
}

/** The means over all processes, by one exchange; without several, everything as it is. */
export function averageOutcome(
  outcome: UpdateOutcome,
  share: RankShare | undefined,
): UpdateOutcome {
  if (!share?.averagesGradients) return outcome;
  const groups = Object.entries(outcome) as [keyof UpdateOutcome, TensorMap][];
  const means = allReduceMeans(Object.fromEntries(
    groups.flatMap(([group, tensors]) =>
      Object.entries(tensors).map(([name, tensor]) => [`${group} ${name}`, tensor])
    ),
  ));
  return Object.fromEntries(groups.map(([group, tensors]) => [
    group,
    Object.fromEntries(Object.keys(tensors).map((name) => [name, means[`${group} ${name}`]])),
  ])) as unknown as UpdateOutcome;
}
