/** Opens a table to generate rows like its own: a .csv, .tsv or .txt file, plain or .gz, or one in an archive. */
import { UserError } from "../errors.ts";
import { drawSyntheticTable } from "../tables/synthetic_table.ts";
import type { ModelData } from "./model_data.ts";
import { recognize } from "./recognize.ts";
import { tableData } from "./table_data.ts";
import { readTypedTable } from "./tables/typed_table.ts";

/** Which table, and what of it. */
export interface OpenTableOptions {
  /** A file, or a folder or archive with one. Default: a synthetic table with a known joint distribution. */
  path?: string;
  /**
   * Which columns are used, in this order, each as it looks or as `age=integer` says: number, integer,
   * category, boolean, date or skip; `*` stands for all that are not named. Default: all.
   */
  columns?: readonly string[];
  /** Rows to pick at random. Default: all, or 10,000 of the synthetic table. */
  count?: number;
  /** Decides the pick, the rows held back and the synthetic table. Default 0. */
  seed?: number;
  /** The share of rows that are held back to compare generated ones with. Default 0.1. */
  heldBack?: number;
}

const SYNTHETIC_ROWS = 10_000;
const HELD_BACK = 0.1;

/**
 * Opens a table as the data of `tabularModel()`.
 *
 * @example
 * ```ts
 * import { openTable } from "@ganforge/ganforge";
 *
 * const data = await openTable({ count: 500 });
 * console.log(data.description); // row: 450 rows of synthetic visits: 7 columns, and 50 held back
 * ```
 *
 * @throws {UserError} when nothing is there, it is no table, or a column is not what is said of it
 */
export async function openTable(options: OpenTableOptions = {}): Promise<ModelData> {
  const { path, columns, count, seed = 0, heldBack = HELD_BACK } = options;
  if (path === undefined) {
    if (columns !== undefined) {
      throw new UserError(
        "Cannot choose columns of the synthetic table: name a table by --data PATH",
      );
    }
    return tableData(drawSyntheticTable(count ?? SYNTHETIC_ROWS, seed), {
      name: "visits",
      origin: "synthetic visits",
      seed,
      heldBack,
    });
  }
  using found = await recognize(path, { source: "csv" });
  if (found.data.source !== "csv") throw new UserError(`Cannot read ${path}: it is no table`);
  const { file } = found.data;
  const { table, notes } = await readTypedTable(file, { columns, count, seed });
  return tableData(table, { name: nameOf(file.path), origin: file.origin, notes, seed, heldBack });
}

/** A file's name without its folder and ending. */
function nameOf(path: string): string {
  return path.split(/[\\/]/).pop()!.replace(/(?<=.)(?:\.[^.]{1,6})?(?:\.gz)?$/i, "") || "table";
}
