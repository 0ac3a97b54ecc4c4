/**
 * `metadata.csv` and `metadata.jsonl` of Hugging Face's image folders: a row for each image, whose
 * `file_name` is its path from the metadata's own folder, and columns that describe it.
 */
import { UserError } from "../../errors.ts";
import { normalizePath, type StoredFile } from "../stores/file_store.ts";
import { readRecords } from "../tables/records.ts";

/** The rows that describe images. */
export interface ImageMetadata {
  /** Names the metadata in messages. */
  origin: string;
  /** The columns but `file_name`, in the sequence in which they first appear. */
  columns: string[];
  /** `[images.length]` what each image's row says, by column. */
  rows: ReadonlyMap<string, string>[];
}

/** What is said of one image, by column. */
type Row = Map<string, string>;

/** The most bytes of a file of metadata. */
const MAX_METADATA_BYTES = 2 ** 29;

/** What Hugging Face calls the column of paths. */
const PATH_COLUMNS = ["file_name", "image_file_name", "filename"];

/**
 * Reads what files of metadata say about images.
 * @throws {UserError} when a file is malformed, or an image has no row
 */
export async function readImageMetadata(
  files: readonly StoredFile[],
  images: readonly StoredFile[],
): Promise<ImageMetadata> {
  const rowOf = new Map<string, Row>();
  const columns = new Set<string>();
  for (const file of files) {
    const folder = file.path.slice(0, file.path.lastIndexOf("/") + 1);
    for await (const row of readRows(file)) {
      const pathColumn = PATH_COLUMNS.find((name) => row.has(name));
      if (pathColumn === undefined) {
        throw new UserError(
          `Cannot use ${file.origin}: it needs a column "file_name" with the images' paths, and has ` +
            [...row.keys()].join(", "),
        );
      }
      rowOf.set(normalizePath(folder + row.get(pathColumn)!), row);
      for (const name of row.keys()) if (name !== pathColumn) columns.add(name);
    }
  }
  const missing = images.filter(({ path }) => !rowOf.has(path));
  const { origin } = files[0];
  if (missing.length > 0) {
    throw new UserError(
      `Cannot use ${origin}: it has no row for ${missing.length} of ${images.length} images, such as ` +
        `${missing[0].path}; add rows for them, or move it away`,
    );
  }
  return { origin, columns: [...columns], rows: images.map(({ path }) => rowOf.get(path)!) };
}

async function* readRows(file: StoredFile): AsyncGenerator<Row> {
  if (!file.path.toLowerCase().endsWith(".jsonl")) {
    yield* csvRows(file);
    return;
  }
  const text = new TextDecoder().decode(await file.read({ maxBytes: MAX_METADATA_BYTES }));
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    yield jsonRow(line, `Cannot use ${file.origin}: line ${i + 1}`);
  }
}

async function* csvRows(file: StoredFile): AsyncGenerator<Row> {
  let header: string[] | undefined;
  for await (const { fields } of readRecords(file)) {
    if (header) yield new Map(header.map((name, i) => [name, fields[i] ?? ""]));
    else header = fields;
  }
}

/** The texts and numbers of a JSON object. */
function jsonRow(line: string, where: string): Row {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new UserError(`${where} is no JSON (${(error as Error).message})`, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UserError(
      `${where} is no JSON object such as {"file_name": "a.png", "label": "cat"}`,
    );
  }
  const row: Row = new Map();
  for (const [name, cell] of Object.entries(value)) {
    if (cell === null) row.set(name, "");
    else if (["string", "number", "boolean"].includes(typeof cell)) row.set(name, String(cell));
  }
  return row;
}
