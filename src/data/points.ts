/**
 * Points of files as a data source. Columns are standardized where they need it, because a network that
 * makes one column in [0, 1] and one in [0, 10000] learns the second alone.
 */
import type { ImageSize } from "../config/data.ts";
import { DEFAULTS } from "../config/defaults.ts";
import { UserError } from "../errors.ts";
import { formatNumber } from "../text.ts";
import { randomSubset } from "./order.ts";
import { counted, type DataSource, floatSource, type PointColumn } from "./source.ts";

/** Columns of these standard deviations, and of means this close to 0, are trained on as they are. */
const USUAL_SCALE = { low: 0.2, high: 5, maxMean: 3 };

/** Float32, which files give, tells apart values of about this share of the largest. */
const FLOAT32_STEP = 2 ** -23;

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
  /** Whether columns are standardized; `"auto"`, the default: where one of them needs it. */
  standardize?: boolean | "auto";
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
  const { columns, notes, isStandardized } = standardizeColumns(picked, {
    columnNames: Array.from({ length: dimension }, (_, i) => names?.[i] ?? String(i + 1)),
    standardize: options.standardize ?? DEFAULTS.data.standardize,
  });
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
    notes: [...options.notes ?? [], ...notes],
    ...(isStandardized || names ? { columns } : {}),
  });
}

/** What 0 and 1 of each column stand for, and what to say about it. */
function standardizeColumns(
  values: Float32Array | Float64Array,
  { columnNames, standardize }: {
    columnNames: readonly string[];
    standardize: boolean | "auto";
  },
): { columns: PointColumn[]; notes: string[]; isStandardized: boolean } {
  const notes: string[] = [];
  const found = columnNames.map((name, i) => ({ name, ...moments(values, i, columnNames.length) }));
  const constant = found.filter(({ scale }) => scale === 0).map(({ name }) => name);
  if (constant.length > 0) {
    const which = constant.length === 1 ? "column" : "columns";
    const have = constant.length === 1 ? "has" : "have";
    notes.push(`${which} ${constant.join(", ")} ${have} one value only`);
  }
  const unusual = found.filter(isUnusual);
  const isStandardized = standardize === "auto" ? unusual.length > 0 : standardize;
  if (!isStandardized) {
    if (standardize === false && unusual.length > 0) {
      notes.push(
        `${
          describeColumns(unusual)
        }: training may collapse; leave data.standardize away to bring ` +
          `them to 0 and 1 while training`,
      );
    }
    return {
      columns: columnNames.map((name) => ({ name, mean: 0, scale: 1 })),
      notes,
      isStandardized,
    };
  }
  const columns = found.map(({ name, mean, scale }) => ({ name, mean, scale: scale || 1 }));
  const why = unusual.length > 0 ? `${describeColumns(unusual)}; ` : "";
  notes.push(
    `${why}all columns are trained on with mean 0 and standard deviation 1 (data.standardize), and ` +
      `samples have the units of the data`,
  );
  const coarse = found.filter(({ mean, scale }) =>
    scale > 0 && Math.abs(mean) * FLOAT32_STEP > scale / 50
  );
  for (const { name, mean } of coarse) {
    notes.push(
      `column ${name} lies so far from 0 that float32 samples tell apart steps of ` +
        `${formatNumber(Math.abs(mean) * FLOAT32_STEP)} only: subtract ${
          formatNumber(mean)
        } from it`,
    );
  }
  return { columns, notes, isStandardized };
}

/** Whether a network would learn a column badly as it is. */
function isUnusual({ mean, scale }: Pick<PointColumn, "mean" | "scale">): boolean {
  if (Math.abs(mean) > USUAL_SCALE.maxMean) return true;
  return scale !== 0 && (scale < USUAL_SCALE.low || scale > USUAL_SCALE.high);
}

/** `column y has mean 5,000 and standard deviation 2,887` */
function describeColumns(columns: readonly PointColumn[]): string {
  const [{ name, mean, scale }] = columns;
  const others = columns.length === 1
    ? ""
    : `, and ${columns.length - 1} more ${columns.length === 2 ? "is" : "are"} unusual too`;
  return `column ${name} has mean ${formatNumber(mean)} and standard deviation ${
    formatNumber(scale)
  }${others}`;
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
