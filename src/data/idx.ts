/**
 * IDX, the format of MNIST: a magic number `00 00 TT D` (type TT, D dimensions), D big-endian 32-bit
 * sizes, then the values. Images are bytes (08) `[count, rows, columns]`; labels are bytes `[count]`, or,
 * in QMNIST, 32-bit integers (0c) `[count, 8]` whose first column is the class.
 * Format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
 */
import { type ByteReader, MAX_DATA_BYTES } from "./byte_reader.ts";
import { openStoredFile, type StoredFile } from "./stores/file_store.ts";

/** An array of bytes with its shape. */
export interface IdxArray {
  /** `[count, rows, columns]` or `[count]` */
  shape: number[];
  /** The values, the last axis running fastest. */
  values: Uint8Array;
}

const MAX_SIDE = 4096;

/**
 * Reads an IDX file of images (`dimensions` 3) or labels (1).
 * @throws {UserError} when it is anything else, truncated, or longer than its header says
 */
export async function parseIdx(reader: ByteReader, dimensions: 1 | 3): Promise<IdxArray> {
  const [zero, alsoZero, type, rank] = await reader.read(4, "the magic number");
  const wanted = dimensions === 3 ? "images" : "labels";
  const isWide = dimensions === 1 && type === 0x0c && rank === 2;
  if (zero !== 0 || alsoZero !== 0 || !isWide && (type !== 8 || rank !== dimensions)) {
    const found = [zero, alsoZero, type, rank].map((byte) => byte.toString(16).padStart(2, "0"));
    throw reader.error(
      `it starts with ${found.join(" ")}, and IDX ${wanted} start with 00 00 08 0${dimensions}`,
    );
  }
  const header = await reader.read(4 * rank, "the header");
  const view = new DataView(header.buffer);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 * axis));
  const [count, ...sides] = shape;
  if (count === 0) throw reader.error(`its header says that it holds 0 ${wanted}`);
  if (sides.some((side) => side === 0 || side > MAX_SIDE)) {
    throw reader.error(
      `its header says ${sides.join(" x ")} pixels, and a side has 1 to ${MAX_SIDE}`,
    );
  }
  const size = shape.reduce((product, side) => product * side, isWide ? 4 : 1);
  if (size > MAX_DATA_BYTES) {
    throw reader.error(`its header says ${size} bytes, and the limit is ${MAX_DATA_BYTES}`);
  }
  const values = await reader.read(size, `the last of ${count} ${wanted}`);
  await reader.expectEnd();
  return isWide ? { shape: [count], values: firstColumn(values, shape) } : { shape, values };
}

/** The first of a row's 32-bit integers, which are classes and fit a byte. */
function firstColumn(values: Uint8Array, [count, columns]: number[]): Uint8Array {
  return Uint8Array.from({ length: count }, (_, row) => values[4 * row * columns + 3]);
}

/** Reads an IDX file, plain or .gz; see {@linkcode parseIdx}. */
export async function readIdxFile(file: StoredFile, dimensions: 1 | 3): Promise<IdxArray> {
  const reader = await openStoredFile(file);
  try {
    return await parseIdx(reader, dimensions);
  } finally {
    await reader.close();
  }
}
