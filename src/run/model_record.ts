/** `data.json` of a run of a model of several networks: what is to be known of its data when these are gone. */
import { UserError } from "../errors.ts";
import type { ModelData } from "../data/model_data.ts";
import { writeFileAtomically } from "../files.ts";
import type { ColumnEncoding } from "../tables/columns.ts";
import type { ConditionColumn } from "../tables/conditions.ts";
import type { Vocabulary } from "../vocabulary.ts";
import { inputShapesOf } from "../training/model/model_feed.ts";

/** What a run of a model remembers of its data. */
export interface ModelDataRecord {
  version: 1;
  kind: "model";
  name: string;
  description: string;
  /** One sample's shape of each input that is data. */
  inputs: Record<string, number[]>;
  count: number;
  /** SHA-256 of all sources and how they are joined. */
  fingerprint: string;
  /** Of a table: how a row is read, and how often its conditions occur. */
  table?: {
    encodings: ColumnEncoding[];
    conditions: ConditionColumn[];
  };
  /** Of captions: the words of the input `words`, and how many a caption has at most. */
  vocabulary?: Vocabulary;
}

/** Writes `data.json`. @param path the run's folder */
export async function writeModelRecord(path: string, data: ModelData): Promise<void> {
  const { name, description, count, fingerprint, table, captions } = data;
  const inputs = Object.entries(inputShapesOf(data)).map(([input, shape]) => [input, [...shape]]);
  const record: ModelDataRecord = {
    version: 1,
    kind: "model",
    name,
    description,
    inputs: Object.fromEntries(inputs),
    count,
    fingerprint,
    ...(table
      ? { table: { encodings: table.encodings, conditions: table.conditions.columns } }
      : {}),
    ...(captions ? { vocabulary: captions.vocabulary } : {}),
  };
  const text = JSON.stringify(record, null, 2) + "\n";
  await writeFileAtomically(`${path}/data.json`, new TextEncoder().encode(text));
}

/**
 * Reads `data.json`.
 * @param path the run's folder
 * @throws {UserError} when it is missing or damaged
 */
export async function readModelRecord(path: string): Promise<ModelDataRecord> {
  const file = `${path}/data.json`;
  let record: Partial<ModelDataRecord> | null;
  try {
    record = JSON.parse(await Deno.readTextFile(file));
  } catch (error) {
    const fault = error instanceof Deno.errors.NotFound
      ? "it is not there; resume the run for a step, which writes it again"
      : (error as Error).message.replace(/\s+/g, " ");
    throw new UserError(`Cannot read ${file}: ${fault}`, { cause: error });
  }
  const shapes = Object.values(record?.inputs ?? {});
  const isWhole = record?.version === 1 && record.kind === "model" && shapes.length > 0 &&
    shapes.every((shape) => Array.isArray(shape) && shape.every(Number.isInteger)) &&
    typeof record.fingerprint === "string";
  if (!isWhole) {
    throw new UserError(`Cannot read ${file}: a field is missing or of the wrong type`);
  }
  return record as ModelDataRecord;
}
