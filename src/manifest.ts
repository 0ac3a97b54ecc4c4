/**
 * The manifest of a generator's ONNX file: what the exporter writes and the sampler reads. It is JSON
 * in the file's `metadata_props` under {@linkcode MANIFEST_KEY}. No imports, so that both rooms can
 * share it.
 */

/** The key in `metadata_props`. */
export const MANIFEST_KEY = "ganforge.manifest";

/** The version of the manifest that this code writes. A reader refuses a larger one. */
export const MANIFEST_VERSION = 1;

/**
 * The largest number of values in one latent, one sample's noise or one output: 1 GiB as float32. What a
 * file claims is checked against it before any memory is asked for.
 */
export const MAX_SAMPLE_VALUES: number = 2 ** 28;

/** The largest number of samples in a self-test; one has to be quick. */
const MAX_SELF_TEST_SAMPLES = 256;

/** The program and version that write files of this manifest. */
export const PRODUCER = "ganforge 0.1.0";

/**
 * Where latents come from. The latent of seed `s` is made of the numbers 0 ... dimension - 1 at
 * `{ seed: s, stream: STREAMS.latent, step: 0 }` of src/random/counter_random.ts:
 *
 * - `"normal"`: N(0, 1) each;
 * - `"uniform"`: U[0, 1) each;
 * - `"unit"`: N(0, 1) each, then divided by the Euclidean norm.
 */
export type LatentDistribution = "normal" | "uniform" | "unit";

/** What a generator's ONNX file says about itself. */
export interface GeneratorManifest {
  /** {@linkcode MANIFEST_VERSION} at the time of writing. */
  formatVersion: number;
  /** Program and version that wrote the file, such as `"ganforge 0.1.0"`. */
  producer: string;
  /** The input `latent`: float32 `[N, dimension]`. */
  latent: { dimension: number; distribution: LatentDistribution };
  /**
   * The input `noise`, for layers that stay random: float32 `[N, size]`. Number i of the sample of seed
   * `s` is number i of `{ seed: s, stream: STREAMS.noise, step: 0 }`, uniform, rounded down to a multiple
   * of 1/2048. Absent where there is no such input.
   */
  noise?: { size: number };
  /**
   * Inputs besides `latent`, `label` and `noise`, by name, in the file's order: a style, a mask, a truncation
   * factor. The caller gives them at each run. Absent where there are none.
   */
  conditions?: ConditionInput[];
  /** The first output. */
  output: {
    /** `"image"`: `[N, channels, height, width]`; `"sample"`: `[N, length]`. */
    name: "image" | "sample";
    /** One sample's shape as written, without N: `[channels, height, width]` or `[length]`. */
    shape: number[];
    dtype: "float32" | "uint8";
    /** The smallest and largest meaningful value: `[-1, 1]`, or `[0, 255]` for uint8; null: unbounded. */
    range: [number, number] | null;
  };
  /** The names of the classes of input `label` (int64 `[N]`); null where there is no such input. */
  classNames: string[] | null;
  /** What the values of a sample of points are called, in units of the data; absent without names. */
  columnNames?: string[];
  /**
   * Where truncation pulls to: `z' = mean + t (z - mean)`, `dimension` numbers (all 0 for a normal
   * latent, 1/2 for a uniform one).
   */
  truncationMean: number[];
  /** The preset that the run started from, where there is one. */
  preset: string | null;
  /** How many training steps the weights have seen, where it is known. */
  step: number | null;
  /** What the owner says about using the weights. */
  license: string | null;
  /** SHA-256 of all weights in the order of the file, as 64 hexadecimal digits. */
  weightsSha256: string;
  /** Run these latents and compare: shows that a runtime computes what the trainer did. */
  selfTest: SelfTest;
}

/** The type of an element of a condition, as the file takes it. */
export type ConditionType = "float32" | "float16" | "int32" | "int64" | "uint8" | "bool";

/** One input that the caller gives besides latent and label. */
export interface ConditionInput {
  /** The input's name in the file. */
  name: string;
  /** The type of an element. */
  dtype: ConditionType;
  /** The shape for one sample, without N: `[]` is one value for each sample. */
  shape: number[];
}

/** Seeds and the values that they must give; conditions hold 0.5, or 0 where they are integers or bool. */
export interface SelfTest {
  /** Seeds of the latents, untruncated; one batch. */
  seeds: number[];
  /** The class of each, where the generator is conditional. */
  labels: number[] | null;
  /** For each seed, the first values of its output, in the file's order and unit. */
  values: number[][];
  /** The largest |difference| to accept. */
  tolerance: number;
  /** What differences of each value are divided by, where columns differ in scale; absent: 1. */
  scales?: number[];
}

/**
 * Reads a manifest from its JSON text and checks every field.
 * @throws {SyntaxError} when it is not JSON
 * @throws {TypeError} when a field is missing or has the wrong type, or the version is newer than ours
 */
export function parseManifest(json: string): GeneratorManifest {
  const manifest: unknown = JSON.parse(json);
  const version = isJsonObject(manifest) ? manifest.formatVersion : undefined;
  if (typeof version === "number" && version > MANIFEST_VERSION) {
    throw new TypeError(
      `Cannot read a manifest of format ${version}: this version of ganforge knows format ` +
        `${MANIFEST_VERSION}; update ganforge`,
    );
  }
  const fault = findFault(manifest);
  if (fault !== null) throw new TypeError(`Cannot read the manifest as ${fault}`);
  return manifest as GeneratorManifest;
}

/** The manifest's first fault, in words, or null. */
function findFault(manifest: unknown): string | null {
  if (!isJsonObject(manifest)) return "it is not an object";
  const { latent, noise, conditions, output, selfTest, classNames, truncationMean } = manifest;
  if (!isCount(manifest.formatVersion)) return "formatVersion is not a positive integer";
  if (typeof manifest.producer !== "string") return "producer is not a string";
  if (!isJsonObject(latent) || !isSize(latent.dimension)) {
    return `latent.dimension is not an integer from 1 to ${MAX_SAMPLE_VALUES}`;
  }
  if (!["normal", "uniform", "unit"].includes(latent.distribution as string)) {
    return `latent.distribution is ${
      JSON.stringify(latent.distribution)
    }, not normal, uniform or unit`;
  }
  if (noise !== undefined && (!isJsonObject(noise) || !isSize(noise.size))) {
    return `noise.size is not an integer from 1 to ${MAX_SAMPLE_VALUES}`;
  }
  if (conditions !== undefined) {
    const fault = findConditionsFault(conditions);
    if (fault !== null) return fault;
  }
  if (!isJsonObject(output) || (output.name !== "image" && output.name !== "sample")) {
    return "output.name is neither image nor sample";
  }
  const rank = output.name === "image" ? 3 : 1;
  if (!isArrayOf(output.shape, isCount) || output.shape.length !== rank) {
    return `output.shape is not ${rank} positive integers`;
  }
  const valuesPerSample = output.shape.reduce((product, size) => product * size, 1);
  if (!isSize(valuesPerSample)) {
    return `output.shape [${output.shape.join(", ")}] is more than ${MAX_SAMPLE_VALUES} values`;
  }
  if (output.dtype !== "float32" && output.dtype !== "uint8") {
    return `output.dtype is ${JSON.stringify(output.dtype)}, not float32 or uint8`;
  }
  const { range } = output;
  if (range !== null && (!isArrayOf(range, isNumber) || range.length !== 2)) {
    return "output.range is neither null nor two numbers";
  }
  if (classNames !== null && (!isArrayOf(classNames, isString) || classNames.length === 0)) {
    return "classNames is neither null nor a list of strings, at least one";
  }
  const { columnNames } = manifest;
  if (
    columnNames !== undefined &&
    (output.name !== "sample" || !isArrayOf(columnNames, isString) ||
      columnNames.length !== valuesPerSample)
  ) {
    return `columnNames is not the names of an output of ${valuesPerSample} columns`;
  }
  if (!isArrayOf(truncationMean, isFloat32) || truncationMean.length !== latent.dimension) {
    return `truncationMean is not ${latent.dimension} numbers`;
  }
  for (const name of ["preset", "license"]) {
    if (manifest[name] !== null && !isString(manifest[name])) {
      return `${name} is neither null nor a string`;
    }
  }
  if (manifest.step !== null && !isNumber(manifest.step)) {
    return "step is neither null nor a number";
  }
  if (!isString(manifest.weightsSha256) || !/^[0-9a-f]{64}$/.test(manifest.weightsSha256)) {
    return "weightsSha256 is not 64 hexadecimal digits";
  }
  return findSelfTestFault(selfTest, valuesPerSample, classNames?.length ?? 0);
}

const CONDITION_TYPES: readonly string[] = [
  "float32",
  "float16",
  "int32",
  "int64",
  "uint8",
  "bool",
] satisfies ConditionType[];

function findConditionsFault(conditions: unknown): string | null {
  if (!Array.isArray(conditions)) return "conditions is not a list";
  const names = new Set<string>(["latent", "label", "noise"]);
  for (const [index, condition] of conditions.entries()) {
    const where = `conditions[${index}]`;
    if (!isJsonObject(condition)) return `${where} is not an object`;
    const { name, dtype, shape } = condition;
    if (!isString(name) || name === "") return `${where}.name is not a name`;
    if (names.has(name)) return `${where}.name is ${name}, which another input has`;
    names.add(name);
    if (!isString(dtype) || !CONDITION_TYPES.includes(dtype)) {
      return `${where}.dtype is ${JSON.stringify(dtype)}, not ${CONDITION_TYPES.join(", ")}`;
    }
    if (!isArrayOf(shape, isCount)) return `${where}.shape is not a list of positive integers`;
    if (shape.length > 0 && !isSize(shape.reduce((product, size) => product * size))) {
      return `${where}.shape [${shape.join(", ")}] is more than ${MAX_SAMPLE_VALUES} values`;
    }
  }
  return null;
}

function findSelfTestFault(
  selfTest: unknown,
  valuesPerSample: number,
  classCount: number,
): string | null {
  if (!isJsonObject(selfTest)) return "selfTest is not an object";
  const { seeds, labels, values } = selfTest;
  const isSeed = (seed: unknown): seed is number => isIndexBelow(seed, 2 ** 32);
  if (!isArrayOf(seeds, isSeed) || seeds.length === 0 || seeds.length > MAX_SELF_TEST_SAMPLES) {
    return `selfTest.seeds is not 1 to ${MAX_SELF_TEST_SAMPLES} integers from 0 to 2^32 - 1`;
  }
  if (!isArrayOf(values, isNumberList) || values.length !== seeds.length) {
    return `selfTest.values is not ${seeds.length} lists of numbers`;
  }
  if (values.some((row) => row.length === 0 || row.length > valuesPerSample)) {
    return `selfTest.values has a list that is not 1 to ${valuesPerSample} numbers`;
  }
  const isLabel = (label: unknown): label is number => isIndexBelow(label, classCount);
  if (labels !== null && (!isArrayOf(labels, isLabel) || labels.length !== seeds.length)) {
    return `selfTest.labels is neither null nor ${seeds.length} of ${classCount} classes' numbers`;
  }
  const { tolerance, scales } = selfTest;
  const isScale = (scale: unknown): scale is number => isNumber(scale) && scale > 0;
  if (scales !== undefined && (!isArrayOf(scales, isScale) || scales.length !== valuesPerSample)) {
    return `selfTest.scales is not ${valuesPerSample} numbers above 0`;
  }
  return isNumber(tolerance) && tolerance >= 0 ? null : "selfTest.tolerance is not a number >= 0";
}

/** Whether a value of JSON is an object. */
export function isJsonObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value of JSON is a text. */
export function isString(value: unknown): value is string {
  return typeof value === "string";
}

/** Whether a value of JSON is a finite number. */
export function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isFloat32(value: unknown): value is number {
  return isNumber(value) && Number.isFinite(Math.fround(value));
}

/** Whether a value of JSON is a positive integer. */
export function isCount(value: unknown): value is number {
  return isNumber(value) && Number.isInteger(value) && value > 0;
}

/** Whether a value of JSON is a number of values that memory may be asked for. */
export function isSize(value: unknown): value is number {
  return isCount(value) && value <= MAX_SAMPLE_VALUES;
}

/** Whether a value of JSON is an integer from 0 to below `end`. */
export function isIndexBelow(value: unknown, end: number): value is number {
  return isNumber(value) && Number.isInteger(value) && value >= 0 && value < end;
}

/** Whether a value of JSON is a list of finite numbers. */
export function isNumberList(value: unknown): value is number[] {
  return isArrayOf(value, isNumber);
}

/** Whether a value of JSON is a list of such items. */
export function isArrayOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[];
export function isArrayOf(value: unknown, isItem: (item: unknown) => boolean): value is unknown[];
export function isArrayOf(value: unknown, isItem: (item: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.every(isItem);
}
