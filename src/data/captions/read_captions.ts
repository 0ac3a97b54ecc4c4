/**
 * The captions of a folder of images: `captions.csv` (or .tsv, .txt, .jsonl) beside them, or Hugging Face's
 * `metadata.csv` and `metadata.jsonl`. Each row names an image and has a text; an image may have several.
 */
import { UserError } from "../../errors.ts";
import { formatInteger } from "../../text.ts";
import { captionWords } from "../../vocabulary.ts";
import { normalizePath, type StoredFile } from "../stores/file_store.ts";
import { readRecords } from "../tables/records.ts";

/** Files that may hold captions; those called captions come before those called metadata. */
export const CAPTION_FILE = /(?:^|\/)(?:captions\.(?:csv|tsv|txt|jsonl)|metadata\.(?:csv|jsonl))$/i;

const PATH_COLUMNS = [
  "file_name",
  "image_file_name",
  "filename",
  "image",
  "image_name",
  "path",
  "file",
];
const TEXT_COLUMNS = ["text", "caption", "captions", "prompt", "description", "comment"];

/** The most bytes of a file of captions. */
const MAX_CAPTION_BYTES = 2 ** 29;

/** Captions of images. */
export interface ImageCaptions {
  /** Place of the image that each caption belongs to. */
  images: Uint32Array;
  /** The texts, by image, in the order of their file. */
  texts: string[];
}

/** What captions are read for. */
export interface CaptionScope {
  /** The folder or archive. */
  origin: string;
  /** All its files, in which the images that rows name have to be. */
  files: readonly StoredFile[];
  /** The images that captions are wanted for. */
  images: readonly StoredFile[];
  /** The column of texts, where the user names one. */
  column?: string;
}

/**
 * Reads the captions of images.
 * @throws {UserError} when there are none, a row names an image that is not there, a text is empty, or an
 * image has no caption
 */
export async function readCaptions(scope: CaptionScope): Promise<ImageCaptions> {
  const { origin, files, images } = scope;
  const sources = captionFiles(files);
  if (sources.length === 0) {
    throw new UserError(
      `Cannot find captions in ${origin}: looked for captions.csv or metadata.jsonl with the columns ` +
        `file_name and text`,
    );
  }
  const paths = new Set(files.map(({ path }) => path));
  const textsOf = new Map<string, string[]>();
  for (const file of sources) {
    const folder = file.path.slice(0, file.path.lastIndexOf("/") + 1);
    for await (const { where, name, texts } of captionRows(file, scope.column)) {
      const path = normalizePath(folder + name);
      if (!paths.has(path)) {
        throw new UserError(`${where} names the image ${name}, which is not in ${origin}`);
      }
      for (const text of texts) {
        if (captionWords(text).length === 0) {
          throw new UserError(
            `${where} has no words for the image ${name}: ${JSON.stringify(text)}`,
          );
        }
      }
      textsOf.set(path, [...textsOf.get(path) ?? [], ...texts]);
    }
  }
  const bare = images.filter(({ path }) => !textsOf.get(path)?.length);
  if (bare.length > 0) {
    throw new UserError(
      `Cannot use ${sources[0].origin}: it has no caption for ${formatInteger(bare.length)} of ` +
        `${formatInteger(images.length)} images, such as ${
          bare[0].path
        }; add rows, or move them away`,
    );
  }
  const texts = images.map(({ path }) => textsOf.get(path)!);
  return {
    images: Uint32Array.from(texts.flatMap((own, image) => own.map(() => image))),
    texts: texts.flat(),
  };
}

/** `captions.*` where there are some, else the files of metadata. */
function captionFiles(files: readonly StoredFile[]): StoredFile[] {
  const all = files.filter(({ path }) => CAPTION_FILE.test(path));
  const named = all.filter(({ path }) => /(?:^|\/)captions\.[a-z]+$/i.test(path));
  return named.length > 0 ? named : all;
}

interface CaptionRow {
  /** `Cannot use captions.csv: line 5`. */
  where: string;
  /** The image, from the file's own folder. */
  name: string;
  texts: string[];
}

async function* captionRows(
  file: StoredFile,
  column: string | undefined,
): AsyncGenerator<CaptionRow> {
  const isJson = file.path.toLowerCase().endsWith(".jsonl");
  for await (const { line, cells } of isJson ? jsonRows(file) : tableRows(file)) {
    const where = `Cannot use ${file.origin}: line ${line}`;
    const names = [...cells.keys()];
    const pathColumn = findColumn(names, PATH_COLUMNS);
    const textColumn = column === undefined
      ? findColumn(names, TEXT_COLUMNS)
      : findColumn(names, [column]);
    if (pathColumn === undefined || textColumn === undefined) {
      const wanted = pathColumn === undefined ? PATH_COLUMNS[0] : column ?? TEXT_COLUMNS[0];
      throw new UserError(
        `Cannot use ${file.origin}: it needs a column "${wanted}", and line ${line} has ${
          names.join(", ")
        }`,
      );
    }
    const [name] = cells.get(pathColumn)!;
    if (!name) throw new UserError(`${where} names no image`);
    yield { where, name, texts: cells.get(textColumn)! };
  }
}

function findColumn(names: readonly string[], wanted: readonly string[]): string | undefined {
  for (const column of wanted) {
    const found = names.find((name) => name.toLowerCase() === column.toLowerCase());
    if (found !== undefined) return found;
  }
  return undefined;
}

interface FileRow {
  line: number;
  /** Of each column its texts: one, but for a list in JSON. */
  cells: Map<string, string[]>;
}

async function* tableRows(file: StoredFile): AsyncGenerator<FileRow> {
  let header: string[] | undefined;
  for await (const { line, fields } of readRecords(file)) {
    if (!header) {
      header = fields;
      continue;
    }
    if (fields.length > header.length) {
      throw new UserError(
        `Cannot use ${file.origin}: line ${line} has ${fields.length} columns, and the first line has ` +
          `${header.length}; a text with commas stands in quotes`,
      );
    }
    yield { line, cells: new Map(header.map((name, i) => [name, [fields[i] ?? ""]])) };
  }
}

async function* jsonRows(file: StoredFile): AsyncGenerator<FileRow> {
  const text = new TextDecoder().decode(await file.read({ maxBytes: MAX_CAPTION_BYTES }));
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const where = `Cannot use ${file.origin}: line ${i + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (error) {
      throw new UserError(`${where} is no JSON (${(error as Error).message})`, { cause: error });
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new UserError(
        `${where} is no JSON object such as {"file_name": "a.png", "text": "a cat"}`,
      );
    }
    const cells = Object.entries(value).map((
      [name, cell],
    ): [string, string[]] => [name, (Array.isArray(cell) ? cell : [cell ?? ""]).map(String)]);
    yield { line: i + 1, cells: new Map(cells) };
  }
}
