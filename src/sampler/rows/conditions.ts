/** Conditions on rows: which columns must have which category, and the vectors that ask the generator for it. */
import { UserError } from "../../errors.ts";
import type { TableManifest } from "../../model_manifest.ts";
import { fillUniform, STREAMS } from "../../random/counter_random.ts";
import { type ChoiceEncoding, isNumericEncoding } from "../../tables/columns.ts";
import { isTrue, type TableRow } from "../../tables/decode.ts";
import { nearestWord } from "../../vocabulary.ts";

/** A column must have this value; null: it must be missing. */
export type RowConditions = Readonly<Record<string, string | number | boolean | null>>;

/** Conditions that were checked. */
export interface PlannedConditions {
  /** Fills `[width]` for the row of a seed. */
  fill(vector: Float32Array, seed: number, index: number): void;
  /** Whether a row meets all of them. */
  accepts(row: TableRow): boolean;
  /** In words, such as `species=Adelie`. */
  text: string;
}

/** The rows' seeds draw their conditions from this stream. */
const STREAM = STREAMS.tableConditions + 1;

/**
 * Checks conditions.
 * @throws {UserError} naming a column or a category that is unknown, and the nearest that is known
 */
export function planConditions(
  given: RowConditions,
  { columns, conditions }: TableManifest,
  name: string,
): PlannedConditions {
  const wanted = Object.entries(given).map(([column, value]) => {
    const where = `Cannot make rows with ${column}=${value}`;
    const place = columns.findIndex((own) => own.name === column);
    if (place < 0) {
      const names = columns.map((own) => own.name);
      throw new UserError(
        `${where}: ${name} has no column ${JSON.stringify(column)}${
          nearest(column, names)
        }; it has ${names.join(", ")}`,
      );
    }
    const encoding = columns[place];
    const condition = conditions.find((own) => own.column === place);
    if (isNumericEncoding(encoding) || condition === undefined) {
      const named = conditions.map((own) => columns[own.column].name);
      throw new UserError(
        `${where}: ${column} holds ${encoding.kind}s, and a condition names a category; columns with ` +
          `categories: ${named.join(", ") || "none"}`,
      );
    }
    const category = categoryOf(encoding, value, where);
    if (condition.frequencies[category] === 0) {
      throw new UserError(`${where}: no row of the data was such, so the model has not learned it`);
    }
    return { column, category, entry: condition.offset + category, encoding };
  });
  const cumulative = conditions.map(({ frequencies }) => {
    let reached = 0;
    return frequencies.map((frequency) => reached += frequency);
  });
  const draws = new Float32Array(2);
  return {
    text: Object.entries(given).map(([column, value]) => `${column}=${value ?? "(missing)"}`)
      .join(", "),
    fill(vector, seed, index) {
      vector.fill(0);
      if (conditions.length === 0) return;
      if (wanted.length > 0) {
        // The generator was trained under one condition at a time: rows take turns.
        vector[wanted[index % wanted.length].entry] = 1;
        return;
      }
      fillUniform(draws, { seed, stream: STREAM, step: 0 });
      const place = Math.floor(draws[0] * conditions.length);
      const ends = cumulative[place];
      const threshold = draws[1] * ends[ends.length - 1];
      vector[conditions[place].offset + ends.findIndex((end) => threshold < end)] = 1;
    },
    accepts: (row) =>
      wanted.every(({ column, category, encoding }) => {
        const { categories, kind } = encoding;
        const value = category === categories.length
          ? null
          : kind === "boolean"
          ? isTrue(categories[category])
          : categories[category];
        return row[column] === value;
      }),
  };
}

/** The place of a category; behind all of them for a missing value. */
function categoryOf(
  { name, kind, categories, hasMissing }: ChoiceEncoding,
  value: RowConditions[string],
  where: string,
): number {
  if (value === null) {
    if (hasMissing) return categories.length;
    throw new UserError(`${where}: no value of ${name} is missing in the data`);
  }
  const text = String(value);
  const isTruth = kind === "boolean" && /^(true|false)$/i.test(text);
  const place = categories.findIndex((category) =>
    category === text || (isTruth && isTrue(category) === isTrue(text))
  );
  if (place >= 0) return place;
  if (text === "" && hasMissing) return categories.length;
  const shown = categories.slice(0, 30).join(", ");
  const more = categories.length > 30 ? ` and ${categories.length - 30} more` : "";
  throw new UserError(
    `${where}: ${name} has no category ${JSON.stringify(text)}${
      nearest(text, categories)
    }; it has ` +
      `${shown}${more}`,
  );
}

function nearest(name: string, names: readonly string[]): string {
  const found = nearestWord(name, names);
  return found === undefined ? "" : ` (did you mean ${found}?)`;
}
