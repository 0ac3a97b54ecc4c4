/**
 * Points of files as a data source. Columns can be standardized, because a network that makes one column
 * in [0, 1] and one in [0, 10000] learns the second alone.
 */
import type { ImageSize } from "../config/data.ts";
import { DEFAULTS } from "../config/defaults.ts";
import { UserError } from "../errors.ts";
import { randomSubset } from "./order.ts";
import { counted, type DataSource, floatSource, type PointColumn } from "./source.ts";

/** Columns whose standard deviations differ by more than this factor are said to be odd. */
const MAX_SCALE_RATIO = 20;

/** What a user may want of points, and where they are from. */
export interface PointOptions {
  /** The source's name. */
  name: string;
  /** Names the data in messages. */
  origin: string;
  /** Refused: for images only. */
  size?: ImageSize;
  /** Refused: for images only. */
  channels?: number;
  /** How many to take, picked at random. */
  count?: number;
  /** Seed of the random pick. */
  seed: number;
  /** Whether columns are standardized. */
  standardize?: boolean;
  /** Refused for points without names. */
  columns?: readonly string[];
}

/**
 * A source of points that a file holds.
 * @param values `[N, dimension]` flat
 * @param options.names the names of the columns, where they have any
 * @throws {UserError} when an option does not suit points
 */
export function pointSource(
  values: Float32Array | Float64Array,
  options: PointOptions & {
    dimension: number;
    names?: readonly string[];
    labels?: Int32Array;
    classNames?: readonly string[];
    notes?: readonly string[];
  },
): DataSource {
  const { name, origin, size, channels, labels, classNames, dimension, names } = options;
  if (size !== undefined || channels !== undefined) {
    throw new UserError(
      `Cannot use "size" or "channels" with ${origin}: it holds points, not images`,
    );
  }
  if (options.columns && !names) {
    throw new UserError(`Cannot choose columns of ${origin}: its columns have no names`);
  }
  const picked = pickRows(values, dimension, options);
  const notes = [...options.notes ?? []];
  const { standardize = DEFAULTS.data.standardize } = options;
  const columns = Array.from({ length: dimension }, (_, i): PointColumn => {
    const named = { name: names?.[i] ?? String(i + 1) };
    return standardize
      ? { ...named, ...moments(picked, i, dimension) }
      : { ...named, mean: 0, scale: 1 };
  });
  const constant = columns.filter(({ scale }) => scale === 0);
  if (constant.length) {
    notes.push(
      `${constant.length === 1 ? "column" : "columns"} ${
        constant.map(({ name }) => name).join(", ")
      } ` +
        `${constant.length === 1 ? "has" : "have"} one value only`,
    );
    for (const column of constant) column.scale = 1;
  }
  if (!standardize) {
    const scales = columns.map((_, i) => moments(picked, i, dimension).scale).filter((s) => s > 0);
    const ratio = Math.max(...scales) / Math.min(...scales);
    if (scales.length > 1 && ratio > MAX_SCALE_RATIO) {
      notes.push(
        `the columns' standard deviations differ by a factor of ${
          Math.round(ratio)
        }, so that training ` +
          `may collapse; --set data.standardize=true brings them to 1`,
      );
    }
  }
  const isChanged = columns.some(({ mean, scale }) => mean !== 0 || scale !== 1);
  if (isChanged) {
    notes.push(
      "columns are standardized, and samples will be too (data.standardize)",
    );
  }
  const rows = new Float32Array(picked.length);
  for (let i = 0; i < rows.length; i++) {
    const { mean, scale } = columns[i % dimension];
    rows[i] = (picked[i] - mean) / scale;
  }
  const classes = classNames ? `, ${classNames.length} classes` : "";
  return floatSource(rows, {
    kind: "points",
    name,
    description: `${
      counted(rows.length / dimension)
    } points in ${dimension}-D of ${origin}${classes}`,
    shape: [dimension],
    labels: labels && pickRows(labels, 1, options),
    classNames,
    notes,
    ...(isChanged || names ? { columns } : {}),
  });
}

/** Mean and standard deviation of a column. */
function moments(
  values: Float32Array | Float64Array,
  column: number,
  dimension: number,
): Pick<PointColumn, "mean" | "scale"> {
  const count = values.length / dimension;
  let mean = 0;
  for (let i = column; i < values.length; i += dimension) mean += values[i] / count;
  let variance = 0;
  for (let i = column; i < values.length; i += dimension) {
    variance += (values[i] - mean) ** 2 / count;
  }
  const first = values[column];
  const isConstant = variance === 0 ||
    Math.sqrt(variance) <= 1e-12 * Math.abs(mean) &&
      values.every((v, i) => i % dimension !== column || v === first);
  return isConstant ? { mean: first, scale: 0 } : { mean, scale: Math.sqrt(variance) };
}

/** As many rows as are wanted, picked at random; all of them by default. */
export function pickRows<T extends Float32Array | Float64Array | Int32Array>(
  values: T,
  rowSize: number,
  { count, seed, origin }: { count?: number; seed: number; origin: string },
): T {
  const total = values.length / rowSize;
  if (count === undefined || count === total) return values;
  if (count > total) {
    throw new UserError(
      `Cannot take ${count} samples from ${origin}: there are ${total}; lower "count"`,
    );
  }
  const picked = values.slice(0, count * rowSize) as T;
  for (const [to, from] of randomSubset(total, { wanted: count, seed }).entries()) {
    picked.set(values.subarray(from * rowSize, (from + 1) * rowSize), to * rowSize);
  }
  return picked;
}
