/** Rows of a table from a generator: latents and conditions by seed, decoded to the values of the columns. */
import { UserError } from "../../errors.ts";
import type { TableManifest } from "../../model_manifest.ts";
import { fillLatent, fillNoise } from "../../random/latents.ts";
import { decodeRows, type TableRow } from "../../tables/decode.ts";
import type { GeneratorInfo } from "../generator_info.ts";
import { MAX_SEED } from "../latents.ts";
import { Pace } from "../pace.ts";
import { checkSeed } from "../requests.ts";
import type { FedInputs, RawOutput } from "../session.ts";
import { planConditions, type RowConditions } from "./conditions.ts";

/** What rows to make. */
export interface RowOptions {
  /** How many. Default 1. */
  count?: number;
  /**
   * The seed of the first row, 0 ... 2^32 - 1; those after it have the next. A row that does not meet the
   * conditions is left out, and the seed after it takes its place. Default 0.
   */
  seed?: number;
  /** Columns that must have a category, by name: `{ species: "Adelie" }`; null: missing. */
  conditions?: RowConditions;
  /** Rows a run. Default 500. */
  batchSize?: number;
  /** Stops between two runs, with the signal's reason. */
  signal?: AbortSignal;
}

/** A generator of rows that is ready to run. */
export interface RowGenerator {
  info: GeneratorInfo;
  table: TableManifest;
  run(count: number, inputs: FedInputs): Promise<RawOutput>;
}

const DEFAULT_BATCH = 500;

/** The largest batch: what it takes stays small beside a list of rows. */
const MAX_BATCH = 100_000;

/** Of this number of rows, or of ten batches where these are more, one at least must meet the conditions. */
const MAX_MISSES = 2000;

/**
 * Makes rows, batch by batch.
 * @throws {UserError} where an option is out of range, a condition names nothing known, or rows do not meet it
 */
export async function* makeRows(
  { info, table, run }: RowGenerator,
  options: RowOptions,
): AsyncGenerator<TableRow[], void, void> {
  const { count = 1, seed = 0, conditions = {}, signal } = options;
  const batchSize = info.fixedBatch ?? options.batchSize ?? DEFAULT_BATCH;
  if (!Number.isInteger(count) || count < 0) {
    throw new UserError(`Cannot make ${count} rows: count takes an integer >= 0`);
  }
  if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > MAX_BATCH) {
    throw new UserError(
      `Cannot make rows in batches of ${batchSize}: it takes an integer from 1 to ${MAX_BATCH}`,
    );
  }
  checkSeed(seed);
  const planned = planConditions(conditions, table, info.name);
  const width = info.feeds.includes("condition") ? conditionWidth(table) : 0;
  const pace = new Pace();
  let made = 0, misses = 0, next = seed;
  while (made < count) {
    if (pace.isPauseDue()) await pace.pause();
    signal?.throwIfAborted();
    const isChosen = planned.text !== "";
    const size = info.fixedBatch ?? (isChosen ? batchSize : Math.min(batchSize, count - made));
    if (next + size - 1 > MAX_SEED) {
      throw new UserError(
        `Cannot make ${count} rows from seed ${seed} on: seeds end at ${MAX_SEED}`,
      );
    }
    const inputs = fillInputs(info, { size, first: next, width, planned });
    const { data } = await run(size, inputs);
    next += size;
    const rows = decodeBatch(data, table, info.name);
    const kept = (isChosen ? rows.filter(planned.accepts) : rows).slice(0, count - made);
    misses = kept.length > 0 ? 0 : misses + size;
    if (misses >= Math.max(MAX_MISSES, 10 * size)) {
      throw new UserError(
        `Cannot make ${count} rows with ${planned.text}: ${made} of ${
          next - seed
        } rows were such, and ` +
          `none of the last ${misses}; ask for fewer conditions, or train longer`,
      );
    }
    made += kept.length;
    if (kept.length > 0) yield kept;
  }
}

function conditionWidth({ conditions }: TableManifest): number {
  return conditions.reduce((sum, { frequencies }) => sum + frequencies.length, 0);
}

function fillInputs(
  { latent: { dimension, distribution }, noise: noiseSize }: GeneratorInfo,
  { size, first, width, planned }: {
    size: number;
    first: number;
    width: number;
    planned: ReturnType<typeof planConditions>;
  },
): FedInputs {
  const latents = new Float32Array(size * dimension);
  const noise = noiseSize > 0 ? new Float32Array(size * noiseSize) : null;
  const vectors = new Float32Array(size * width);
  for (let at = 0; at < size; at++) {
    const seed = first + at;
    fillLatent(latents.subarray(at * dimension, (at + 1) * dimension), { seed, distribution });
    if (noise) fillNoise(noise.subarray(at * noiseSize, (at + 1) * noiseSize), seed);
    if (width > 0) planned.fill(vectors.subarray(at * width, (at + 1) * width), seed, at);
  }
  const feeds = new Map(width > 0 ? [["condition", vectors] as const] : []);
  return { latents, labels: null, noise, feeds };
}

function decodeBatch(
  data: Float32Array | Uint8Array,
  { columns }: TableManifest,
  name: string,
): TableRow[] {
  try {
    return decodeRows(data as Float32Array, columns);
  } catch (error) {
    throw new UserError(`Cannot make rows with ${name}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
