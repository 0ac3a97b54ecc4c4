/** Which class each column of a grid of samples shows: one a column, so that they stand side by side. */
import type { DataSource } from "../data/source.ts";

/** The classes of a grid's columns. */
export interface ColumnClasses {
  /** The class of each column. */
  labels: number[];
  /** Its name; undefined for data without names of classes. */
  names: string[] | undefined;
}

/** The classes in turn, from the first. */
export function columnClasses(
  { classNames }: Pick<DataSource, "classNames">,
  columns: number,
): ColumnClasses {
  const classCount = classNames?.length ?? 1;
  const labels = Array.from({ length: columns }, (_, column) => column % classCount);
  return { labels, names: classNames && labels.map((label) => classNames[label]) };
}
