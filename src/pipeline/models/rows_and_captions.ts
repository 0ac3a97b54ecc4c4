/**
 * Measures a trained model of rows or of captions against its data: draws what is needed, and hands it to
 * `src/evaluation`.
 */
import type { CaptionContext, ModelData, TableContext } from "../../data/model_data.ts";
import { openEngine } from "../../engine/open.ts";
import { UserError } from "../../errors.ts";
import { type CaptionEvaluation, evaluateCaptions } from "../../evaluation/evaluate_captions.ts";
import {
  comparedRows,
  evaluateTable,
  type TableEvaluation,
} from "../../evaluation/evaluate_table.ts";
import { seededLatents } from "../../evaluation/generate.ts";
import type { ModelSpec } from "../../config/types.ts";
import { drawDataConditions } from "../../tables/conditions.ts";
import { decodeRows, type TableRow } from "../../tables/decode.ts";
import { tableOfRows } from "../../tables/table_of_rows.ts";
import { encodeCaption } from "../../vocabulary.ts";
import type { TrainedModel } from "../trained_model.ts";

/** Rows or images that are computed at once. */
const ROWS_AT_ONCE = 2000;
const IMAGES_AT_ONCE = 64;

/** A model that values are computed with, such as a `TrainedModel`. */
export interface ComputingModel extends Pick<TrainedModel, "compute"> {
  /** What it was trained as. */
  readonly config: { readonly model: ModelSpec };
}

/** How many rows are drawn, and from which seeds. */
export interface SeededCount {
  /** How many. */
  count: number;
  /** Row or image `i` has the latent of `seed + i`. Default 0. */
  seed?: number;
}

/**
 * Draws rows from a model of a table, conditioned as often on each category as the data have it.
 * @throws {UserError} when the data are no table
 */
export async function drawRows(
  run: ComputingModel,
  data: ModelData,
  { count, seed = 0 }: SeededCount,
): Promise<TableRow[]> {
  const { encodings, conditions } = tableOf(data);
  const width = conditions.width;
  const vectors = drawDataConditions(conditions.columns, count, { seed });
  const rows: TableRow[] = [];
  for (let first = 0; first < count; first += ROWS_AT_ONCE) {
    const size = Math.min(ROWS_AT_ONCE, count); // one size, so that it is compiled once
    const data = new Float32Array(size * width);
    data.set(vectors.subarray(first * width, (first + size) * width));
    const condition = { shape: [size, width], data };
    const latent = latentsOf(run.config.model, { first: seed + first, count: size });
    const { [run.config.model.output]: values } = await run.compute(
      width > 0 ? { latent, condition } : { latent },
      { seed: seed + first },
    );
    const wanted = Math.min(size, count - first);
    const length = wanted * values.shape[1];
    for (const row of decodeRows((values.data as Float32Array).subarray(0, length), encodings)) {
      rows.push(row);
    }
  }
  return rows;
}

/**
 * Draws an image for each caption.
 * @returns `[captions, ...shape]` flat in [-1, 1]
 * @throws {UserError} when a caption has a word that the model does not know, or the data have no captions
 */
export async function drawCaptioned(
  run: ComputingModel,
  data: ModelData,
  { captions, seed = 0 }: { captions: readonly string[]; seed?: number },
): Promise<Float32Array> {
  const { vocabulary } = captionsOf(data);
  const size = vocabulary.words.length;
  const { output } = run.config.model;
  const images = new Float32Array(captions.length * data.inputs.image.sampleSize);
  for (let first = 0; first < captions.length; first += IMAGES_AT_ONCE) {
    const part = captions.slice(first, first + IMAGES_AT_ONCE);
    const together = Math.min(IMAGES_AT_ONCE, captions.length);
    const words = new Float32Array(together * size);
    for (const [row, text] of part.entries()) {
      words.set(encodeCaption(text, vocabulary), row * size);
    }
    const computed = await run.compute({
      words: { shape: [together, size], data: words },
      latent: latentsOf(run.config.model, { first: seed + first, count: together }),
    });
    const { sampleSize } = data.inputs.image;
    const made = (computed[output].data as Float32Array).subarray(0, part.length * sampleSize);
    images.set(made, first * sampleSize);
  }
  return images;
}

/**
 * Measures a model of rows: shapes of columns, trends of pairs, what a classifier learns from its rows, copies.
 * @throws {UserError} when the data are no table, or too few rows
 */
export async function evaluateRows(run: ComputingModel, data: ModelData): Promise<TableEvaluation> {
  const table = tableOf(data);
  const rows = await drawRows(run, data, { count: comparedRows(table), seed: EVALUATION_SEED });
  return evaluateTable(table, tableOfRows(rows, table.encodings));
}

/** Far from the seeds that a person asks for. */
const EVALUATION_SEED = 1_000_000;

/**
 * Measures a model of captions: how many of a caption's words a network reads in its images.
 * @throws {UserError} when the data have no captions, or too few images
 */
export async function evaluateCaptioned(
  run: ComputingModel,
  data: ModelData,
  { count }: { count?: number } = {},
): Promise<CaptionEvaluation> {
  const { engine } = await openEngine("cpu");
  try {
    return await evaluateCaptions(captionsOf(data), {
      engine,
      count,
      generate: (captions) => drawCaptioned(run, data, { captions, seed: EVALUATION_SEED }),
    });
  } finally {
    await engine.dispose();
  }
}

function latentsOf({ latent }: ModelSpec, { first, count }: { first: number; count: number }) {
  if (!latent) throw new UserError("Cannot draw from the model: it has no latent");
  const { shape, data } = seededLatents(latent, first, count);
  return { shape, data: data as Float32Array };
}

function tableOf({ table, name }: ModelData): TableContext {
  if (table) return table;
  throw new UserError(`Cannot draw rows: the data ${name} are no table`);
}

function captionsOf({ captions, name }: ModelData): CaptionContext {
  if (captions) return captions;
  throw new UserError(`Cannot draw images of captions: the data ${name} have none`);
}
