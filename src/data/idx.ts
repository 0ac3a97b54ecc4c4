/**
 * IDX, the format of MNIST: a magic number `00 00 08 D` (unsigned bytes, D dimensions), D big-endian
 * 32-bit sizes, then the values. Pictures are `[count, rows, columns]`, labels `[count]`.
 * Format: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".
 */
import { elementCount } from "../bytes.ts";
import { type ByteReader, MAX_DATA_BYTES, openBytes } from "./byte_reader.ts";

/** An array of bytes with its shape. */
export interface IdxArray {
  /** `[count, rows, columns]` or `[count]` */
  shape: number[];
  /** The values, the last axis running fastest. */
  values: Uint8Array;
}

const MAX_SIDE = 4096;

/**
 * Reads an IDX file of pictures (`dimensions` 3) or labels (1).
 * @throws {UserError} when it is anything else, truncated, or longer than its header says
 */
export async function parseIdx(reader: ByteReader, dimensions: 1 | 3): Promise<IdxArray> {
  const [zero, alsoZero, type, rank] = await reader.read(4, "the magic number");
  const wanted = dimensions === 3 ? "pictures" : "labels";
  if (zero !== 0 || alsoZero !== 0 || type !== 8 || rank !== dimensions) {
    const found = [zero, alsoZero, type, rank].map((byte) => byte.toString(16).padStart(2, "0"));
    throw reader.error(
      `it starts with ${found.join(" ")}, and IDX ${wanted} start with 00 00 08 0${dimensions}`,
    );
  }
  const header = await reader.read(4 * dimensions, "the header");
  const view = new DataView(header.buffer);
  const shape = Array.from({ length: dimensions }, (_, axis) => view.getUint32(4 * axis));
  const [count, ...sides] = shape;
  if (count === 0) throw reader.error(`its header says that it holds 0 ${wanted}`);
  if (sides.some((side) => side === 0 || side > MAX_SIDE)) {
    throw reader.error(
      `its header says ${sides.join(" x ")} pixels, and a side has 1 to ${MAX_SIDE}`,
    );
  }
  const size = elementCount(shape);
  if (size > MAX_DATA_BYTES) {
    throw reader.error(`its header says ${size} bytes, and the limit is ${MAX_DATA_BYTES}`);
  }
  const values = await reader.read(size, `the last of ${count} ${wanted}`);
  await reader.expectEnd();
  return { shape, values };
}

/** Reads an IDX file, plain or .gz; see {@linkcode parseIdx}. */
export async function readIdxFile(path: string, dimensions: 1 | 3): Promise<IdxArray> {
  const reader = await openBytes(path);
  try {
    return await parseIdx(reader, dimensions);
  } finally {
    await reader.close();
  }
}
