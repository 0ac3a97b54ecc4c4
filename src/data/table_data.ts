/** A table as the data of a model: encoded rows, and the conditions that rows are trained under. */
import { UserError } from "../errors.ts";
import { type ColumnEncoding, rowLayout, type Table, takeTableRows } from "../tables/columns.ts";
import { type ConditionSampler, conditionSampler } from "../tables/conditions.ts";
import { encodeTable, fitTableEncoder } from "../tables/encode.ts";
import { formatInteger } from "../text.ts";
import { type ModelData, modelData, type TableContext } from "./model_data.ts";
import { randomSubset } from "./order.ts";
import { floatSource } from "./source.ts";

/** How {@linkcode tableData} reads a table. */
export interface TableDataOptions {
  /** Decides which mode encodes a number that may come from several. Default 0. */
  seed?: number;
  /** A short name, which becomes part of a run folder's name. Default `table`. */
  name?: string;
  /** Where the table is from, for the description. */
  origin?: string;
  /** What is odd, left out or guessed, in lines for a person. */
  notes?: readonly string[];
  /**
   * The share of rows that are not trained on, but kept to compare generated rows with; they are picked at
   * random by the seed. Default 0.
   */
  heldBack?: number;
}

/**
 * The data of a generator of rows (CTGAN, Xu et al. 2019): the inputs `row`, encoded by the modes of its
 * numbers and one-hot choices, and `condition`, one category of one column of names, by which the row
 * was picked. `data.table.encodings` reads generated rows back with `decodeRows()`.
 *
 * @example
 * ```ts
 * import { drawSyntheticTable, tableData } from "@ganforge/ganforge";
 *
 * const data = tableData(drawSyntheticTable(500, 0));
 * console.log(data.inputs.row.count); // 500
 * ```
 *
 * @throws {UserError} when the table has no rows, columns differ in length, or a column is empty
 */
export function tableData(
  whole: Table,
  { seed = 0, name = "table", origin, notes = [], heldBack = 0 }: TableDataOptions = {},
): ModelData {
  checkTable(whole);
  const { trained: table, heldBack: kept } = holdBack(whole, { share: heldBack, seed });
  const encoder = fitTableEncoder(table);
  const { encodings } = encoder;
  const columns = `${table.columns.length} columns`;
  const of = origin === undefined ? "" : ` of ${origin}`;
  const besides = kept ? `, and ${formatInteger(kept.rowCount)} held back` : "";
  const row = floatSource(encodeTable(table, encoder, seed), {
    kind: "points",
    name,
    description: `${formatInteger(table.rowCount)} rows${of}: ${columns}${besides}`,
    notes,
    shape: [rowLayout(encodings).width],
  });
  const conditions = conditionSampler(table, encodings);
  return modelData({ row }, {
    pairing: "by condition",
    name,
    table: {
      encodings,
      conditions,
      shape: rowShapeOf(encodings, conditions),
      trained: table,
      ...(kept ? { heldBack: kept } : {}),
    },
  });
}

/** Some rows apart, at random; all categories stay known. */
function holdBack(
  table: Table,
  { share, seed }: { share: number; seed: number },
): { trained: Table; heldBack?: Table } {
  if (!(share >= 0 && share < 1)) {
    throw new UserError(
      `Cannot hold back a share of ${share} of the rows: it is from 0 to below 1, such as 0.1`,
    );
  }
  const wanted = Math.round(share * table.rowCount);
  if (wanted === 0) return { trained: table };
  const apart = randomSubset(table.rowCount, { wanted, seed });
  const isApart = new Uint8Array(table.rowCount);
  for (const row of apart) isApart[row] = 1;
  const others = Uint32Array.from({ length: table.rowCount }, (_, row) => row)
    .filter((row) => !isApart[row]);
  return { trained: takeTableRows(table, others), heldBack: takeTableRows(table, apart) };
}

/** The layout of rows and conditions, as the networks of `tabularModel()` need it. */
function rowShapeOf(
  encodings: readonly ColumnEncoding[],
  conditions: ConditionSampler,
): TableContext["shape"] {
  const { width, scalars, places } = rowLayout(encodings);
  return {
    width,
    scalars,
    choices: places.map(({ choice, size }) => ({ offset: choice, size })),
    conditionWidth: conditions.width,
    conditioned: conditions.columns.map(({ column, offset }) => ({
      rowOffset: places[column].choice,
      conditionOffset: offset,
      size: places[column].size,
    })),
  };
}

function checkTable({ columns, rowCount }: Table): void {
  if (rowCount === 0 || columns.length === 0) {
    throw new UserError(
      `Cannot train on the table: it has ${rowCount} rows of ${columns.length} columns`,
    );
  }
  for (const column of columns) {
    const values = "values" in column ? column.values : column.codes;
    if (values.length !== rowCount) {
      throw new UserError(
        `Cannot train on the table: the column ${column.name} has ${values.length} values, and the table ` +
          `has ${rowCount} rows`,
      );
    }
    const isEmpty = "values" in column
      ? column.values.every((value) => Number.isNaN(value))
      : column.codes.every((code) => code < 0);
    if (isEmpty) {
      throw new UserError(`Cannot train on the table: the column ${column.name} has no values`);
    }
  }
}
