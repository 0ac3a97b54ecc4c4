/**
 * One NumPy array as a data set. Format: "NEP 1: A Simple File Format for NumPy Arrays".
 *
 * | array | data |
 * | --- | --- |
 * | uint8 `[N, H, W]`, `[N, H, W, C]` or `[N, C, H, W]`, C 1 or 3 | pictures |
 * | float `[N, H, W]`, `[N, H, W, C]` or `[N, C, H, W]` within [-1, 1] | pictures |
 * | float `[N]` or `[N, D]` | points |
 */
import { elementCount } from "../bytes.ts";
import { type ByteReader, MAX_DATA_BYTES, openBytes } from "./byte_reader.ts";

/** An array of numbers with its shape. */
export interface NpyArray {
  /** `[N, ...]` */
  shape: number[];
  /** The values, the last axis running fastest. */
  values: Uint8Array | Float32Array;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** The types that are read, with the bytes of one value. */
const TYPES: Record<string, number> = { "|u1": 1, "<f4": 4, "<f8": 8 };

/** Reads a .npy file; see {@linkcode parseNpy}. */
export async function readNpyFile(path: string): Promise<NpyArray> {
  const reader = await openBytes(path);
  try {
    return await parseNpy(reader);
  } finally {
    await reader.close();
  }
}

/**
 * Reads an array of uint8, float32 or float64 values; float64 is rounded to float32.
 * @throws {UserError} when it is truncated or damaged, of another type, in Fortran's order, empty, or
 * has a value that is not finite
 */
export async function parseNpy(reader: ByteReader): Promise<NpyArray> {
  const { type, shape } = await readHeader(reader);
  const length = elementCount(shape);
  if (!(length > 0) || shape.length === 0) {
    throw reader.error(`its shape is (${shape.join(", ")}), which holds no samples`);
  }
  const sizeBytes = length * TYPES[type];
  if (sizeBytes > MAX_DATA_BYTES) { // also when it is Infinity
    throw reader.error(
      `its shape is (${shape.join(", ")}), which is ${sizeBytes} bytes, and the limit is ` +
        `${MAX_DATA_BYTES}`,
    );
  }
  const bytes = await reader.read(sizeBytes, `the last of ${length} values`);
  await reader.expectEnd();
  if (type === "|u1") return { shape, values: bytes };
  const values = toFloat32(bytes, type);
  const broken = values.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    throw reader.error(
      `sample ${Math.floor(broken / (length / shape[0]))} holds ${
        values[broken]
      }, and samples have ` +
        `to be finite`,
    );
  }
  return { shape, values };
}

async function readHeader(reader: ByteReader): Promise<{ type: string; shape: number[] }> {
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
  if (headerBytes > 65536) {
    throw reader.error(`its header has ${headerBytes} bytes, and the limit is 65536`);
  }
  const header = new TextDecoder().decode(await reader.read(headerBytes, "the header"));
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(header)?.[1];
  const sides = /'shape':\s*\(([0-9,\s]*)\)/.exec(header)?.[1];
  if (type === undefined || order === undefined || sides === undefined) {
    throw reader.error(`its header is damaged: ${JSON.stringify(header.slice(0, 100))}`);
  }
  if (!Object.hasOwn(TYPES, type)) {
    throw reader.error(
      `its values have type ${type}; known are uint8 (|u1), float32 (<f4) and float64 (<f8): ` +
        `convert it by array.astype(...)`,
    );
  }
  if (order === "True") {
    throw reader.error(
      "it is in Fortran's order: save it anew by np.save(path, np.ascontiguousarray(array))",
    );
  }
  const shape = sides.split(",").map((side) => side.trim()).filter((side) => side !== "");
  return { type, shape: shape.map(Number) };
}

/** Little-endian floats of any alignment. */
function toFloat32(bytes: Uint8Array, type: string): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const values = new Float32Array(bytes.length / TYPES[type]);
  for (let i = 0; i < values.length; i++) {
    values[i] = type === "<f4" ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true);
  }
  return values;
}
