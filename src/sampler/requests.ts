/** Turns what `sample` and `stream` are asked for into one latent and label after another. */
import { UserError } from "../errors.ts";
import { fillLatent, fillNoise } from "../random/latents.ts";
import type { FeedValue } from "./assumptions.ts";
import type { GeneratorInfo } from "./generator_info.ts";
import { MAX_SEED, truncate } from "./latents.ts";

/** What to sample. Give `count` (and `seed`), or `seeds`, or `latents`. */
export interface SampleOptions {
  /** How many; the samples have the seeds `seed`, `seed + 1`, ... Default 1. */
  count?: number;
  /** The first sample's seed, 0 ... 2^32 - 1. Default 0. */
  seed?: number;
  /** One seed a sample. */
  seeds?: Iterable<number>;
  /** One latent of `dimension` values a sample. */
  latents?: Iterable<ArrayLike<number>>;
  /** `t` of `z' = mean + t (z - mean)`; 1, the default, leaves latents as they are. */
  truncation?: number;
  /**
   * The class, by number or name: one for all, or one a sample. Default: the seed (for latents, the
   * sample's number) modulo the number of classes.
   */
  label?: number | string | readonly (number | string)[];
  /** What images shall show, for a generator from captions; its words are in `info.vocabulary`. */
  text?: string;
  /** Values of other inputs, by name: one number, or the elements for one sample. See `info.feeds`. */
  feeds?: Readonly<Record<string, FeedValue>>;
  /** Samples a run. Default: 64, fewer where samples are large. */
  batchSize?: number;
  /** Stops between two runs, with the signal's reason. */
  signal?: AbortSignal;
}

/** What one run is made from: columns, whose item `i` belongs to its sample `i`. */
export interface RequestBatch {
  /** The number of its first sample in the request. */
  firstIndex: number;
  /** The seed of each latent; null where it was given. */
  seeds: (number | null)[];
  /** `[batchSize, dimension]`, truncation applied; zeros after the last sample */
  latents: Float32Array;
  /** `[batchSize]`, class 0 after the last sample; null where the generator takes none */
  labels: Int32Array | null;
  /** `[batchSize, info.noise]`, zeros after the last sample; null where the generator takes none */
  noise: Float32Array | null;
}

/** Further out than this no generator was trained, and float32 soon ends. */
const MAX_TRUNCATION = 1000;

/** Bytes that a default batch may have, what goes in and what comes out together. */
const BATCH_BYTES = 1 << 24;

/** The largest batch, and the largest list of samples: WebAssembly's and typed arrays' memory ends here. */
const MAX_BYTES = 2 ** 32;

/** The number of samples in a run. */
function resolveBatchSize(options: SampleOptions, info: GeneratorInfo): number {
  const { batchSize } = options;
  const bytes = sampleBytes(info);
  if (info.fixedBatch === null && batchSize === undefined) {
    return Math.max(1, Math.min(64, Math.floor(BATCH_BYTES / bytes)));
  }
  const size = info.fixedBatch ?? batchSize!;
  if (!Number.isInteger(size) || size < 1) {
    throw new UserError(`Cannot sample in batches of ${size}: it takes a positive integer`);
  }
  if (size * bytes > MAX_BYTES) {
    throw new UserError(
      `Cannot sample in batches of ${size}: one takes ${gigabytes(size * bytes)}, and at most ` +
        `${gigabytes(MAX_BYTES)} are allowed`,
    );
  }
  return size;
}

/** Bytes of one sample: its latent, its noise and its values as float32. */
function sampleBytes({ latent, noise, output }: GeneratorInfo): number {
  return 4 * (latent.dimension + noise + output.shape.reduce((product, size) => product * size, 1));
}

/**
 * Checks that a list of `count` samples fits into memory.
 * @throws {UserError} where it does not; a stream holds one batch only
 */
export function checkListSize(count: number | undefined, info: GeneratorInfo): void {
  const bytes = (count ?? 1) * sampleBytes(info);
  if (!(bytes > MAX_BYTES)) return;
  throw new UserError(
    `Cannot hold ${count} samples at once: they take ${gigabytes(bytes)}, and at most ` +
      `${gigabytes(MAX_BYTES)} are allowed; use stream(), which holds one batch`,
  );
}

function gigabytes(bytes: number): string {
  return `${Number((bytes / 1e9).toPrecision(3))} GB`;
}

/**
 * The batches, made one by one as they are taken; what can be checked at once is checked at once.
 * @throws {UserError} if options contradict each other or the generator
 */
export function planBatches(options: SampleOptions, info: GeneratorInfo): Iterable<RequestBatch> {
  const { count, seed, seeds, latents, truncation = 1 } = options;
  const sources = [count ?? seed, seeds, latents].filter((source) => source !== undefined);
  if (sources.length > 1) {
    throw new UserError("Cannot sample: give count and seed, or seeds, or latents, not several");
  }
  if (!(truncation >= 0 && truncation <= MAX_TRUNCATION)) {
    throw new UserError(
      `Cannot truncate by ${truncation}: it takes a number from 0 to ${MAX_TRUNCATION}, usually 0 to 1`,
    );
  }
  if (seeds === undefined && latents === undefined) checkRange(count ?? 1, seed ?? 0);
  const labelOf = planLabels(options.label, info);
  const planned = range(seed ?? 0, count ?? 1);
  const items = latents ?? seeds ?? planned;
  const size = resolveBatchSize(options, info);
  // No larger than what comes, where that is known: a batch reserves its latents at once.
  const known = Array.isArray(items) ? items.length : items === planned ? count ?? 1 : size;
  const used = info.fixedBatch ?? Math.max(1, Math.min(size, known));
  return build(items, truncation, labelOf, info, used);
}

function* build(
  items: Iterable<number | ArrayLike<number>>,
  truncation: number,
  labelOf: (index: number, seed: number | null) => number,
  info: GeneratorInfo,
  size: number,
): Generator<RequestBatch> {
  const { dimension, distribution } = info.latent;
  const mean = truncation === 1 ? null : info.manifest?.truncationMean ??
    Array<number>(dimension).fill(distribution === "uniform" ? 0.5 : 0);
  let batch: RequestBatch | null = null;
  let index = 0;
  for (const item of items) {
    batch ??= emptyBatch(index, size, info);
    const at = index - batch.firstIndex;
    const latent = batch.latents.subarray(at * dimension, (at + 1) * dimension);
    const seed = typeof item === "number" ? checkSeed(item) : null;
    if (seed !== null) fillLatent(latent, { seed, distribution });
    else copyLatent(latent, item as ArrayLike<number>, index);
    if (mean !== null) truncate(latent, truncation, mean);
    if (batch.noise !== null) {
      // A path between latents shall not flicker: all of them have the noise of one seed.
      fillNoise(batch.noise.subarray(at * info.noise, (at + 1) * info.noise), seed ?? 0);
    }
    if (batch.labels !== null) batch.labels[at] = labelOf(index, seed);
    batch.seeds.push(seed);
    index++;
    if (at + 1 < size) continue;
    yield batch;
    batch = null;
  }
  if (batch !== null) yield batch;
}

function emptyBatch(firstIndex: number, size: number, info: GeneratorInfo): RequestBatch {
  return {
    firstIndex,
    seeds: [],
    latents: new Float32Array(size * info.latent.dimension),
    labels: info.conditional ? new Int32Array(size) : null,
    noise: info.noise > 0 ? new Float32Array(size * info.noise) : null,
  };
}

function* range(start: number, count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield start + i;
}

function checkRange(count: number, seed: number): void {
  if (!Number.isInteger(count) || count < 0) {
    throw new UserError(`Cannot draw ${count} samples: count takes an integer >= 0`);
  }
  checkSeed(seed);
  if (seed + count - 1 > MAX_SEED) {
    throw new UserError(
      `Cannot draw ${count} samples from seed ${seed} on: seeds end at ${MAX_SEED}`,
    );
  }
}

/** @throws {UserError} if it is not an integer from 0 to 2^32 - 1 */
export function checkSeed(seed: number): number {
  if (Number.isInteger(seed) && seed >= 0 && seed <= MAX_SEED) return seed;
  throw new UserError(`Cannot use seed ${seed}: it takes an integer from 0 to ${MAX_SEED}`);
}

function copyLatent(out: Float32Array, item: ArrayLike<number>, index: number): void {
  if (item?.length !== out.length) {
    throw new UserError(
      `Cannot use latent ${index}: it has ${item?.length} values, and the generator takes ${out.length}`,
    );
  }
  for (let i = 0; i < out.length; i++) {
    out[i] = item[i];
    if (Number.isFinite(out[i])) continue;
    throw new UserError(`Cannot use latent ${index}: its number ${i} is ${item[i]}`);
  }
}

function planLabels(
  label: SampleOptions["label"],
  info: GeneratorInfo,
): (index: number, seed: number | null) => number {
  const { classNames } = info;
  if (!info.conditional) {
    if (label === undefined) return () => 0;
    throw new UserError(`Cannot use a label: ${info.name} takes none`);
  }
  if (label === undefined) {
    if (classNames !== null) return (index, seed) => (seed ?? index) % classNames.length;
    throw new UserError(`Cannot sample from ${info.name} without a label: it is a class's number`);
  }
  if (!Array.isArray(label)) {
    const one = checkLabel(label as number | string, classNames);
    return () => one;
  }
  const all = label.map((each) => checkLabel(each, classNames));
  return (index) => {
    if (index < all.length) return all[index];
    throw new UserError(`Cannot label sample ${index}: only ${all.length} labels are given`);
  };
}

/** A text is the name of a class where there is such a class, and else its number. */
function checkLabel(label: number | string, classNames: string[] | null): number {
  const named = typeof label === "string" ? classNames?.indexOf(label) ?? -1 : -1;
  const number = named >= 0 ? named : /^\d+$/.test(String(label)) ? Number(label) : -1;
  const count = classNames?.length ?? 2 ** 31;
  if (Number.isInteger(number) && number >= 0 && number < count) return number;
  const known = classNames === null
    ? "a number >= 0"
    : `0 to ${count - 1} or one of ${classNames.join(", ")}`;
  throw new UserError(`Cannot use label ${JSON.stringify(label)}: it takes ${known}`);
}
