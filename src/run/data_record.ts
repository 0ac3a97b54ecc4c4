/**
 * `data.json` of a run folder: what an export must know of the data long after they are gone, the names
 * of the classes above all.
 */
import type { DataSource, PointColumn } from "../data/source.ts";
import { UserError } from "../errors.ts";
import { writeFileAtomically } from "../files.ts";

/** What a run remembers of its data. */
export interface DataRecord {
  version: 1;
  name: string;
  kind: "image" | "points";
  /** Shape of one sample: `[height, width, channels]` or `[dimensions]`. */
  shape: number[];
  count: number;
  /** The names of the classes, or null where samples have no labels. */
  classNames: string[] | null;
  /** SHA-256 of shape, samples and labels. */
  fingerprint: string;
  /** What decoded and resized the samples, or null where nothing did. */
  decoding?: string | null;
  /** Of points of a file: the name of each column, and what its standardized values mean; else null. */
  columns?: PointColumn[] | null;
}

/** Writes `data.json`. @param path the run's folder */
export async function writeDataRecord(path: string, data: DataSource): Promise<void> {
  const { name, kind, shape, count, classNames, fingerprint, decoding = null, columns } = data;
  const record: DataRecord = {
    version: 1,
    name,
    kind,
    shape: [...shape],
    count,
    classNames: classNames ? [...classNames] : null,
    fingerprint,
    decoding,
    columns: columns ? columns.map((column) => ({ ...column })) : null,
  };
  const text = JSON.stringify(record, null, 2) + "\n";
  await writeFileAtomically(recordFile(path), new TextEncoder().encode(text));
}

/**
 * Reads `data.json`.
 * @param path the run's folder
 * @throws {UserError} when it is missing or damaged
 */
export async function readDataRecord(path: string): Promise<DataRecord> {
  const file = recordFile(path);
  let record: Partial<DataRecord> | null;
  try {
    record = JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    const fault = error instanceof Deno.errors.NotFound
      ? "it is not there; resume the run for a step, which writes it again"
      : (error as Error).message.replace(/\s+/g, " ");
    throw new UserError(`Cannot read ${file}: ${fault}`, { cause: error });
  }
  if (record?.version !== 1) {
    throw new UserError(
      `Cannot read ${file}: it is of version ${
        JSON.stringify(record?.version)
      }, and this ganforge reads 1`,
    );
  }
  const { classNames, shape, columns = null } = record;
  const isShape = Array.isArray(shape) && shape.every((side) => Number.isInteger(side) && side > 0);
  const isNames = classNames === null ||
    Array.isArray(classNames) && classNames.every((name) => typeof name === "string");
  const isColumns = columns === null ||
    Array.isArray(columns) && columns.length === shape?.[0] &&
      columns.every((column) => typeof column?.name === "string");
  if (!isShape || !isNames || !isColumns) {
    throw new UserError(`Cannot read ${file}: a field is missing or of the wrong type`);
  }
  return record as DataRecord;
}

function recordFile(path: string): string {
  return `${path}/data.json`;
}
