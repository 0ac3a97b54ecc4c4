/** From tables to rows of numbers, as a generator of rows learns them (Xu et al. 2019, section 4.2). */
import { fillUniform, STREAMS } from "../random/counter_random.ts";
import {
  type ColumnEncoding,
  isNumericColumn,
  isNumericEncoding,
  type NumericEncoding,
  rowLayout,
  type Table,
} from "./columns.ts";
import { fitGaussianMixture, type GaussianMode } from "./gaussian_mixture.ts";

/** The distance from a mode's mean that the scalar 1 stands for, in standard deviations. */
const STDS_PER_UNIT = 4;

/** Encoded values stay within this, where tanh still has a gradient. */
const MAX_SCALAR = 0.99;

/** Values that a mixture is fitted to at most; of more, evenly spaced ones. */
const MAX_FITTED = 50_000;

/** Modes of a column at most (Xu et al. 2019). */
const MAX_MODES = 10;

/** A value that at least this share of the rows has is a mode of its own. */
const EXACT_SHARE = 0.1;

/** How a table is encoded, and the fitted mixtures that choose modes. */
export interface TableEncoder {
  encodings: ColumnEncoding[];
  /** For each column of numbers its modes with weights; empty for columns of names. */
  mixtures: GaussianMode[][];
}

/**
 * Decides how each column is encoded.
 * @throws {RangeError} when a column of numbers has no value at all
 */
export function fitTableEncoder(table: Table): TableEncoder {
  const mixtures: GaussianMode[][] = [];
  const encodings = table.columns.map((column): ColumnEncoding => {
    const { name } = column;
    if (!isNumericColumn(column)) {
      mixtures.push([]);
      const hasMissing = column.codes.includes(-1);
      return { name, kind: column.kind, categories: column.categories, hasMissing };
    }
    const present = column.values.filter((value) => !Number.isNaN(value));
    if (present.length === 0) {
      throw new RangeError(`Cannot encode the column ${JSON.stringify(name)}: it has no values`);
    }
    const modes = fitModes(present);
    mixtures.push(modes);
    const { kind, decimals, datePattern } = column;
    return {
      name,
      kind,
      modes: modes.map(({ mean, std }) => ({ mean, std })),
      range: rangeOf(present),
      decimals,
      hasMissing: present.length < column.values.length,
      ...(datePattern === undefined ? {} : { datePattern }),
    };
  });
  return { encodings, mixtures };
}

/**
 * Encodes all rows. A number's mode is drawn from the probabilities that the mixture gives it, by the
 * seed and the row.
 * @returns `[rows, rowLayout]` flat
 */
export function encodeTable(table: Table, encoder: TableEncoder, seed: number): Float32Array {
  const { encodings, mixtures } = encoder;
  const { width, places } = rowLayout(encodings);
  const rows = new Float32Array(table.rowCount * width);
  for (const [index, column] of table.columns.entries()) {
    const encoding = encodings[index];
    const { scalar, choice, size } = places[index];
    if (isNumericColumn(column) && isNumericEncoding(encoding)) {
      const stream = STREAMS.tableModes + index;
      const draws = fillUniform(new Float32Array(table.rowCount), { seed, stream, step: 0 });
      for (let row = 0; row < table.rowCount; row++) {
        const value = column.values[row];
        if (Number.isNaN(value)) {
          rows[row * width + choice + size - 1] = 1;
          continue;
        }
        const mode = drawMode(value, mixtures[index], draws[row]);
        rows[row * width + scalar!] = scalarOf(value, encoding.modes[mode]);
        rows[row * width + choice + mode] = 1;
      }
    } else if (!isNumericColumn(column)) {
      for (let row = 0; row < table.rowCount; row++) {
        const code = column.codes[row];
        rows[row * width + choice + (code < 0 ? size - 1 : code)] = 1;
      }
    }
  }
  return rows;
}

/**
 * The modes of a column: a mixture of Gaussians, and beyond the paper a mode of width 0 for each value
 * that many rows have. A Gaussian around such a value, as the many zeros of a cost, gives values beside it.
 */
function fitModes(values: Float64Array): GaussianMode[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const isFew = counts.size <= MAX_MODES;
  const exact = [...counts]
    .filter(([, count]) => isFew || count >= EXACT_SHARE * values.length)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, isFew ? MAX_MODES : MAX_MODES - 1)
    .map(([mean, count]) => ({ weight: count / values.length, mean, std: 0 }));
  const isExact = new Set(exact.map(({ mean }) => mean));
  const others = values.filter((value) => !isExact.has(value));
  if (others.length === 0) return exact.sort((a, b) => a.mean - b.mean);
  const share = others.length / values.length;
  const gaussians = fitGaussianMixture(evenly(others, MAX_FITTED), {
    maxModes: MAX_MODES - exact.length,
  }).map((mode) => ({ ...mode, weight: mode.weight * share }));
  return [...exact, ...gaussians].sort((a, b) => a.mean - b.mean);
}

function scalarOf(value: number, { mean, std }: NumericEncoding["modes"][number]): number {
  if (std === 0) return 0;
  const scalar = (value - mean) / (STDS_PER_UNIT * std);
  return Math.max(-MAX_SCALAR, Math.min(MAX_SCALAR, scalar));
}

/** A mode with the probability that the value came from it. */
function drawMode(value: number, mixture: readonly GaussianMode[], draw: number): number {
  const exact = mixture.findIndex(({ mean, std }) => std === 0 && mean === value);
  if (exact >= 0) return exact;
  const logs = mixture.map(({ weight, mean, std }) =>
    std === 0 ? -Infinity : Math.log(weight) - Math.log(std) - 0.5 * ((value - mean) / std) ** 2
  );
  const largest = Math.max(...logs);
  const shares = logs.map((log) => Math.exp(log - largest));
  let left = draw * shares.reduce((total, share) => total + share, 0);
  for (const [mode, share] of shares.entries()) {
    left -= share;
    if (left < 0) return mode;
  }
  return logs.indexOf(largest);
}

function rangeOf(values: Float64Array): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

function evenly(values: Float64Array, count: number): Float64Array {
  if (values.length <= count) return values;
  return Float64Array.from({ length: count }, (_, i) => {
    return values[Math.floor(i * values.length / count)];
  });
}
