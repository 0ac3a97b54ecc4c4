/**
 * What the files of models say about themselves besides a generator's manifest: how a row of a table is read
 * (`table`), which words a caption may have (`vocabulary`), and the manifest of a file that makes images from
 * images. The exporter writes it, the sampler reads and checks it before it asks for memory.
 */
import {
  type GeneratorManifest,
  isArrayOf,
  isCount,
  isIndexBelow,
  isJsonObject,
  isNumber,
  isNumberList,
  isSize,
  isString,
  MAX_SAMPLE_VALUES,
  parseManifest,
} from "./manifest.ts";
import { type ColumnEncoding, isNumericEncoding, rowLayout } from "./tables/columns.ts";
import { isDatePattern } from "./tables/dates.ts";
import type { Vocabulary } from "./vocabulary.ts";

/** A column that conditions may name. */
export interface ConditionColumnInfo {
  /** Its place among the columns. */
  column: number;
  /** Where its categories start in the input `condition`. */
  offset: number;
  /** The rows of the data that have each category, missing last where that occurs. */
  frequencies: number[];
}

/** How the output of a generator of rows is read. */
export interface TableManifest {
  /**
   * From left to right: name, kind, categories or modes, range, decimals, date pattern, whether values may be
   * missing. A row of the output holds the scalars of all columns of numbers, then the choices of all columns.
   */
  columns: ColumnEncoding[];
  /** The columns that the input `condition` names, a one-hot vector over all their categories. */
  conditions: ConditionColumnInfo[];
}

/** The manifest of a file that is sampled from: a generator's, and what its rows or captions are. */
export interface SampledManifest extends GeneratorManifest {
  /** For a generator of rows. */
  table?: TableManifest;
  /**
   * For a generator of images from captions: its input `tokens`, int32 `[N, maxLength]`, holds a caption's words
   * by their places here, from 1; 0 stands for no word.
   */
  vocabulary?: Vocabulary;
}

/** The manifest of a file that makes images from images. */
export interface TranslatorManifest {
  /** The version of the manifest. */
  formatVersion: number;
  /** What the file is. */
  kind: "translator";
  /** Program and version that wrote the file. */
  producer: string;
  /** The input `image`: float32 `[N, channels, height, width]`. */
  image: {
    channels: number;
    /** Null where any height, a multiple of `multiple`, will do. */
    height: number | null;
    /** Null where any width, a multiple of `multiple`, will do. */
    width: number | null;
    /** What divides height and width. */
    multiple: number;
    /** The values that mean black and white. */
    range: [number, number];
  };
  /** The input `noise`, float32 `[N, size]`, as a generator's. Absent where there is none. */
  noise?: { size: number };
  /** The output `output`: float32 `[N, channels, factor height, factor width]`. */
  output: {
    channels: number;
    range: [number, number];
    /** How much larger it is than the input. */
    factor: number;
  };
  /**
   * Pixels of the input, from an edge where an image is cut, that the cut changes visibly: what tiles overlap
   * by, and more.
   */
  reach: number;
  /** The preset that the run started from, where there is one. */
  preset: string | null;
  /** How many training steps the weights have seen, where it is known. */
  step: number | null;
  /** What the owner says about using the weights. */
  license: string | null;
  /** SHA-256 of all weights in the order of the file. */
  weightsSha256: string;
  /** Run these images and compare. */
  selfTest: TranslatorSelfTest;
}

/**
 * Images and the values that they must give. Value i of the image of seed `s`, in the file's order, is number i
 * of `{ seed: s, stream: STREAMS.latent, step: 0 }`, uniform, scaled to the input's range; noise is that of
 * the seed.
 */
export interface TranslatorSelfTest {
  /** One image each; one batch. */
  seeds: number[];
  /** Of the images, in pixels. */
  height: number;
  /** Of the images, in pixels. */
  width: number;
  /** For each seed, the first values of its output, in the file's order. */
  values: number[][];
  /** The largest |difference| to accept. */
  tolerance: number;
}

/** The most columns, categories and words that a file may claim: what is made of them is made at once. */
const MAX_NAMES = 1_000_000;

/** The largest reach, multiple and factor. */
const MAX_REACH = 4096;

/** The most pixels of a self-test's image. */
const MAX_TEST_PIXELS = 2 ** 20;

/**
 * Reads the manifest of a file from its JSON text and checks every field.
 * @throws {SyntaxError} when it is not JSON
 * @throws {TypeError} when a field is missing or has the wrong type, or the version is newer than ours
 */
export function parseFileManifest(json: string): SampledManifest | TranslatorManifest {
  const manifest: unknown = JSON.parse(json);
  const isTranslator = isJsonObject(manifest) && manifest.kind === "translator";
  if (!isTranslator) {
    const sampled: SampledManifest = parseManifest(json);
    const fault = findTableFault(sampled) ?? findVocabularyFault(sampled);
    if (fault !== null) throw new TypeError(`Cannot read the manifest as ${fault}`);
    return sampled;
  }
  const { formatVersion } = manifest;
  if (formatVersion !== 1) {
    throw new TypeError(
      `Cannot read a translator's manifest of format ${
        JSON.stringify(formatVersion)
      }: this version of ganforge ` +
        "knows " +
        "format 1; update ganforge",
    );
  }
  const fault = findTranslatorFault(manifest);
  if (fault !== null) throw new TypeError(`Cannot read the manifest as ${fault}`);
  return manifest as unknown as TranslatorManifest;
}

/** Whether a manifest is of a file that makes images from images. */
export function isTranslatorManifest(
  manifest: SampledManifest | TranslatorManifest | null,
): manifest is TranslatorManifest {
  return manifest !== null && "kind" in manifest && manifest.kind === "translator";
}

function findTableFault({ table, output, conditions = [] }: SampledManifest): string | null {
  if (table === undefined) return null;
  if (!isJsonObject(table)) return "table is not an object";
  if (!isArrayOf(table.columns, isJsonObject) || table.columns.length === 0) {
    return "table.columns is not a list of columns, at least one";
  }
  if (table.columns.length > MAX_NAMES) return `table.columns has more than ${MAX_NAMES} columns`;
  const names = new Set<string>();
  for (const [index, column] of (table.columns as unknown[]).entries()) {
    const fault = findColumnFault(column as Record<string, unknown>);
    if (fault !== null) return `table.columns[${index}].${fault}`;
    const { name } = column as ColumnEncoding;
    if (names.has(name)) return `table.columns[${index}].name is ${name}, which another column has`;
    names.add(name);
  }
  const { width } = rowLayout(table.columns);
  if (output.name !== "sample" || output.shape[0] !== width) {
    return `table.columns has rows of ${width} values, and output.shape is [${
      output.shape.join(", ")
    }]`;
  }
  return findConditionsFault(table, conditions);
}

function findConditionsFault(
  table: TableManifest,
  inputs: NonNullable<GeneratorManifest["conditions"]>,
): string | null {
  if (!isArrayOf(table.conditions, isJsonObject)) return "table.conditions is not a list";
  let width = 0;
  for (const [index, condition] of table.conditions.entries()) {
    const { column, offset, frequencies } = condition;
    const where = `table.conditions[${index}]`;
    const encoding = isIndexBelow(column, table.columns.length) ? table.columns[column] : undefined;
    if (encoding === undefined || isNumericEncoding(encoding)) {
      return `${where}.column is not the place of a column of categories`;
    }
    if (offset !== width) return `${where}.offset is not ${width}`;
    const size = encoding.categories.length + (encoding.hasMissing ? 1 : 0);
    const isShare = (value: unknown): value is number => isNumber(value) && value >= 0;
    if (!isArrayOf(frequencies, isShare) || frequencies.length !== size) {
      return `${where}.frequencies is not ${size} numbers from 0`;
    }
    if (!frequencies.some((count) => count > 0)) return `${where}.frequencies is all 0`;
    width += size;
  }
  const input = inputs.find(({ name }) => name === "condition");
  const given = input?.shape[0] ?? 0;
  if (inputs.length > (input ? 1 : 0)) return "conditions has an input that no table has";
  return given === width
    ? null
    : `table.conditions has ${width} categories, and the input condition ${given} values`;
}

const NUMERIC = ["number", "integer", "date"];

function findColumnFault(column: Record<string, unknown>): string | null {
  const { name, kind, hasMissing, modes, range, decimals, datePattern, categories } = column;
  if (!isString(name) || name === "") return "name is not a name";
  if (typeof hasMissing !== "boolean") return "hasMissing is neither true nor false";
  if (kind === "category" || kind === "boolean") {
    if (!isArrayOf(categories, isString) || categories.length + (hasMissing ? 1 : 0) === 0) {
      return "categories is not a list of names, at least one";
    }
    if (modes !== undefined) return "modes is given beside categories";
    return categories.length > MAX_NAMES ? `categories has more than ${MAX_NAMES} names` : null;
  }
  if (!isString(kind) || !NUMERIC.includes(kind)) {
    return `kind is ${JSON.stringify(kind)}, not category, boolean, ${NUMERIC.join(", ")}`;
  }
  const isMode = (mode: unknown): mode is { mean: number; std: number } =>
    isJsonObject(mode) && isNumber(mode.mean) && isNumber(mode.std) && mode.std >= 0;
  if (!isArrayOf(modes, isMode) || modes.length === 0 || modes.length > MAX_NAMES) {
    return "modes is not a list of { mean, std }, at least one";
  }
  if (!isArrayOf(range, isNumber) || range.length !== 2 || range[0] > range[1]) {
    return "range is not two ascending numbers";
  }
  if (!isIndexBelow(decimals, 16)) return "decimals is not an integer from 0 to 15";
  const isWritable = datePattern === undefined || isString(datePattern) && kind === "date" &&
      isDatePattern(datePattern);
  return isWritable ? null : "datePattern is not a date's";
}

function findVocabularyFault({ vocabulary, conditions = [] }: SampledManifest): string | null {
  if (vocabulary === undefined) return null;
  if (!isJsonObject(vocabulary)) return "vocabulary is not an object";
  const { words, maxLength } = vocabulary;
  if (!isArrayOf(words, isString) || words.length === 0 || words.length > MAX_NAMES) {
    return `vocabulary.words is not 1 to ${MAX_NAMES} words`;
  }
  if (new Set(words).size < words.length) return "vocabulary.words has a word twice";
  const tokens = conditions.find(({ name }) => name === "tokens");
  if (conditions.length !== 1 || tokens?.shape.length !== 1 || tokens.shape[0] !== maxLength) {
    return `vocabulary.maxLength is ${maxLength}, and no input tokens has that many values`;
  }
  return null;
}

function findTranslatorFault(manifest: Record<string, unknown>): string | null {
  const { image, noise, output, reach, selfTest } = manifest;
  if (!isString(manifest.producer)) return "producer is not a string";
  const isSide = (side: unknown) => side === null || isSize(side);
  const isRange = (range: unknown): range is [number, number] =>
    isArrayOf(range, isNumber) && range.length === 2 && range[0] < range[1];
  if (!isJsonObject(image) || !isSize(image.channels)) {
    return "image.channels is no number of channels";
  }
  const { channels, height, width, multiple } = image;
  if (!isSide(height)) return "image.height is neither null nor a number of pixels";
  if (!isSide(width)) return "image.width is neither null nor a number of pixels";
  if (!isCount(multiple) || multiple > MAX_REACH) {
    return `image.multiple is not an integer from 1 to ${MAX_REACH}`;
  }
  if (!isRange(image.range)) return "image.range is not two ascending numbers";
  const size = (channels as number) * Number(height ?? multiple) * Number(width ?? multiple);
  if (!isSize(size)) {
    return `image of [${channels}, ${height}, ${width}] is more than ${MAX_SAMPLE_VALUES} values`;
  }
  for (const side of [height, width]) {
    if (side !== null && Number(side) % multiple !== 0) {
      return `image of ${height} x ${width} pixels is no multiple of ${multiple}`;
    }
  }
  if (noise !== undefined && (!isJsonObject(noise) || !isSize(noise.size))) {
    return `noise.size is not an integer from 1 to ${MAX_SAMPLE_VALUES}`;
  }
  if (!isJsonObject(output) || !isSize(output.channels)) {
    return "output.channels is no number of channels";
  }
  if (!isCount(output.factor) || output.factor > MAX_REACH) {
    return `output.factor is not an integer from 1 to ${MAX_REACH}`;
  }
  if (!isRange(output.range)) return "output.range is not two ascending numbers";
  if (!isIndexBelow(reach, MAX_REACH + 1)) return `reach is not an integer from 0 to ${MAX_REACH}`;
  for (const name of ["preset", "license"]) {
    if (manifest[name] !== null && !isString(manifest[name])) {
      return `${name} is neither null nor a string`;
    }
  }
  if (manifest.step !== null && !isNumber(manifest.step)) {
    return "step is neither null nor a number";
  }
  const { weightsSha256 } = manifest;
  if (!isString(weightsSha256) || !/^[0-9a-f]{64}$/.test(weightsSha256)) {
    return "weightsSha256 is not 64 hexadecimal digits";
  }
  return findTestFault(selfTest, manifest as unknown as TranslatorManifest);
}

function findTestFault(test: unknown, { image, output }: TranslatorManifest): string | null {
  if (!isJsonObject(test)) return "selfTest is not an object";
  const { seeds, height, width, values, tolerance } = test;
  const isSeed = (seed: unknown): seed is number => isIndexBelow(seed, 2 ** 32);
  if (!isArrayOf(seeds, isSeed) || seeds.length === 0 || seeds.length > 16) {
    return "selfTest.seeds is not 1 to 16 integers from 0 to 2^32 - 1";
  }
  for (
    const [name, side, own] of [["height", height, image.height], ["width", width, image.width]]
  ) {
    if (!isCount(side) || side % image.multiple !== 0 || (own !== null && own !== side)) {
      return `selfTest.${name} is not one that the image can have`;
    }
  }
  if (Number(height) * Number(width) * output.factor ** 2 > MAX_TEST_PIXELS) {
    return `selfTest has an image of more than ${MAX_TEST_PIXELS} pixels`;
  }
  const most = Number(height) * Number(width) * output.factor ** 2 * output.channels;
  if (
    !isArrayOf(values, isNumberList) || values.length !== seeds.length ||
    values.some((row) => row.length === 0 || row.length > most)
  ) {
    return `selfTest.values is not ${seeds.length} lists of 1 to ${most} numbers`;
  }
  return isNumber(tolerance) && tolerance >= 0 ? null : "selfTest.tolerance is not a number >= 0";
}
