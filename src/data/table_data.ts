/** A table as the data of a model: encoded rows, and the conditions that rows are trained under. */
import { UserError } from "../errors.ts";
import { type ColumnEncoding, rowLayout, type Table } from "../tables/columns.ts";
import { type ConditionSampler, conditionSampler } from "../tables/conditions.ts";
import { encodeTable, fitTableEncoder } from "../tables/encode.ts";
import { formatInteger } from "../text.ts";
import { type ModelData, modelData, type TableContext } from "./model_data.ts";
import { floatSource } from "./source.ts";

/** How {@linkcode tableData} reads a table. */
export interface TableDataOptions {
  /** Decides which mode encodes a number that may come from several. Default 0. */
  seed?: number;
  /** A short name, which becomes part of a run folder's name. Default `table`. */
  name?: string;
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
  table: Table,
  { seed = 0, name = "table" }: TableDataOptions = {},
): ModelData {
  checkTable(table);
  const encoder = fitTableEncoder(table);
  const { encodings } = encoder;
  const columns = `${table.columns.length} columns`;
  const row = floatSource(encodeTable(table, encoder, seed), {
    kind: "points",
    name,
    description: `${formatInteger(table.rowCount)} rows of ${columns}`,
    shape: [rowLayout(encodings).width],
  });
  const conditions = conditionSampler(table, encodings);
  return modelData({ row }, {
    pairing: "by condition",
    name,
    table: { encodings, conditions, shape: rowShapeOf(encodings, conditions) },
  });
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
