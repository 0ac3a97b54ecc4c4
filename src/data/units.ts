/** Between the values that networks see and the units of a table: standardized columns, there and back. */
import type { PointColumn } from "./source.ts";

/** What 0 and 1 of a column stand for. */
export type ColumnUnit = Pick<PointColumn, "mean" | "scale">;

/** Data of points, as far as their units go. */
interface WithColumns {
  readonly columns?: readonly ColumnUnit[] | null;
}

/** The units of columns that are standardized; undefined where the values are as the data have them. */
export function unitsOf({ columns }: WithColumns): readonly ColumnUnit[] | undefined {
  return columns?.some(({ mean, scale }) => mean !== 0 || scale !== 1) ? columns : undefined;
}

/** Values of networks in the units of their data. @param values `[N, columns]` flat */
export function toUnits(values: Float32Array, data: WithColumns): Float32Array {
  const units = unitsOf(data);
  if (!units) return values;
  return values.map((value, i) => {
    const { mean, scale } = units[i % units.length];
    return value * scale + mean;
  });
}

/** Values in the units of the data as networks see them. @param values `[N, columns]` flat */
export function fromUnits(values: Float32Array, data: WithColumns): Float32Array {
  const units = unitsOf(data);
  if (!units) return values;
  return values.map((value, i) => {
    const { mean, scale } = units[i % units.length];
    return (value - mean) / scale;
  });
}
