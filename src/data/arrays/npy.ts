/**
 * One NumPy array: its header, and its elements in C order whatever the file's. Elements are converted as
 * they are read, so that an array of int64 never lies in memory as such.
 * Format: "NEP 1: A Simple File Format for NumPy Arrays".
 */
import { type ByteReader, MAX_DATA_BYTES } from "../byte_reader.ts";
import { openStoredFile, type StoredFile } from "../stores/file_store.ts";
import { type DType, KNOWN_DTYPES, numberReader, parseDType, readTextElement } from "./dtype.ts";

/** What an array's header says. */
export interface NpyHeader {
  dtype: DType;
  /** `[N, ...]` */
  shape: number[];
  /** Whether the first axis runs fastest. */
  isFortran: boolean;
}

/** An array of numbers with its shape. */
export interface NpyArray {
  /** `[N, ...]` */
  shape: number[];
  /** The values, the last axis running fastest; bytes where they are of uint8 or bool. */
  values: Uint8Array | Float32Array;
  dtype: DType;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const MAX_HEADER_BYTES = 65536;
const CHUNK_ELEMENTS = 65536;

/** Opens a .npy file, hands its header to `use`, and closes it. */
export async function withNpy<T>(
  file: StoredFile,
  use: (reader: ByteReader, header: NpyHeader) => Promise<T>,
): Promise<T> {
  const reader = await openStoredFile(file);
  try {
    return await use(reader, await readNpyHeader(reader));
  } finally {
    await reader.close();
  }
}

/**
 * Reads an array of numbers. Other types than uint8 and bool are rounded to float32.
 * @throws {UserError} when it is truncated or damaged, of another type, empty, or has a value that is not
 * finite
 */
export async function readNpyFile(file: StoredFile): Promise<NpyArray> {
  return await withNpy(file, readNumbers);
}

async function readNumbers(reader: ByteReader, header: NpyHeader): Promise<NpyArray> {
  const { dtype, shape, isFortran } = header;
  const length = checkedLength(reader, header, dtype.sizeBytes);
  if (dtype.kind === "U" || dtype.kind === "S") {
    throw reader.error(`it holds text (${dtype.text}), and samples are numbers`);
  }
  const isBytes = dtype.sizeBytes === 1 && dtype.kind !== "i";
  if (!isBytes) checkedLength(reader, header, 4);
  const values = isBytes ? new Uint8Array(length) : new Float32Array(length);
  const rowLength = length / (isFortran ? 1 : shape[0]);
  await eachNumber(reader, header, (value, i) => {
    if (!Number.isFinite(Math.fround(value))) {
      const where = isFortran ? `value ${i}` : `sample ${Math.floor(i / rowLength)}`;
      throw reader.error(`${where} holds ${value}, and samples have to be finite`);
    }
    values[i] = value;
  });
  return { shape, dtype, values: isFortran ? toRowOrder(values, shape) : values };
}

/**
 * Reads an array of numbers in double precision, or of texts, for labels.
 * @returns the elements in C order
 */
export async function readElements(
  reader: ByteReader,
  header: NpyHeader,
): Promise<Float64Array | string[]> {
  const { dtype, shape, isFortran } = header;
  const length = checkedLength(reader, header, 8);
  if (dtype.kind === "U" || dtype.kind === "S") {
    const texts: string[] = [];
    for (let i = 0; i < length; i++) {
      const bytes = await reader.read(dtype.sizeBytes, `the last of ${length} texts`);
      texts.push(readTextElement(bytes, dtype));
    }
    await reader.expectEnd();
    return texts;
  }
  const values = new Float64Array(length);
  await eachNumber(reader, header, (value, i) => values[i] = value);
  return isFortran ? toRowOrder(values, shape) : values;
}

/** How many elements an array has; refused where they would not fit. */
function checkedLength(reader: ByteReader, { shape }: NpyHeader, elementBytes: number): number {
  const length = shape.reduce((product, side) => product * side, 1);
  if (!(length > 0) || shape.length === 0) {
    throw reader.error(`its shape is (${shape.join(", ")}), which holds no samples`);
  }
  const sizeBytes = length * elementBytes;
  if (sizeBytes <= MAX_DATA_BYTES) return length;
  throw reader.error( // also when it is Infinity
    `its shape is (${shape.join(", ")}), which is ${sizeBytes} bytes, and the limit is ` +
      `${MAX_DATA_BYTES}; only images of uint8 in C order are read from the disk as they are needed, of ` +
      `any size`,
  );
}

/** Reads all numbers, in the file's sequence, to its end. */
async function eachNumber(
  reader: ByteReader,
  { dtype, shape }: NpyHeader,
  use: (value: number, index: number) => void,
): Promise<void> {
  const length = shape.reduce((product, side) => product * side, 1);
  const { sizeBytes } = dtype;
  const read = numberReader(dtype);
  reader.expectRoom(length * sizeBytes, `the last of ${length} values`);
  for (let done = 0; done < length; done += CHUNK_ELEMENTS) {
    const count = Math.min(CHUNK_ELEMENTS, length - done);
    const bytes = await reader.read(count * sizeBytes, `the last of ${length} values`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < count; i++) use(read(view, i * sizeBytes), done + i);
  }
  await reader.expectEnd();
}

/** From the first axis running fastest to the last. */
function toRowOrder<T extends Uint8Array | Float32Array | Float64Array>(
  values: T,
  shape: readonly number[],
): T {
  const turned = values.slice() as T;
  const index = shape.map(() => 0);
  const strides: number[] = [];
  shape.reduce((stride, side) => (strides.push(stride), stride * side), 1);
  let from = 0;
  for (let to = 0; to < values.length; to++) {
    turned[to] = values[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return turned;
}

/**
 * Reads the header of an array.
 * @throws {UserError} when it is no .npy, damaged, or of elements that are not known
 */
async function readNpyHeader(reader: ByteReader): Promise<NpyHeader> {
  const start = await reader.read(8, "the magic string");
  if (MAGIC.some((byte, i) => start[i] !== byte)) {
    throw reader.error("it does not start with \\x93NUMPY: it is no .npy file");
  }
  const version = start[6];
  if (version < 1 || version > 3) {
    throw reader.error(`it has version ${version} of the .npy format: 1 to 3 are known`);
  }
  const sizeField = await reader.read(version === 1 ? 2 : 4, "the header's size");
  const view = new DataView(sizeField.buffer);
  const headerBytes = version === 1 ? view.getUint16(0, true) : view.getUint32(0, true);
  if (headerBytes > MAX_HEADER_BYTES) {
    throw reader.error(`its header has ${headerBytes} bytes, and the limit is ${MAX_HEADER_BYTES}`);
  }
  const header = new TextDecoder().decode(await reader.read(headerBytes, "the header"));
  const type = /'descr':\s*('[^']*'|\[)/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const sides = /'shape':\s*\(([0-9,\s]*)\)/.exec(header)?.[1];
  if (type === undefined || order === undefined || sides === undefined) {
    throw reader.error(`its header is damaged: ${JSON.stringify(header.slice(0, 100))}`);
  }
  const dtype = parseDType(type.slice(1, -1));
  if (!dtype) {
    const found = type === "[" ? "are records of several fields" : `have type ${type.slice(1, -1)}`;
    throw reader.error(
      `its values ${found}; known are ${KNOWN_DTYPES}: convert it by array.astype(...)`,
    );
  }
  const shape = sides.split(",").map((side) => side.trim()).filter((side) => side !== "")
    .map(Number);
  return { dtype, shape, isFortran: order === "True" && shape.length > 1 };
}
