/**
 * Reads back the PNG files that src/sampler/png.ts writes: 8 bits a channel, not interlaced. A resumed
 * run makes its animation from the pictures of its earlier sessions.
 */
import { Raster } from "../sampler/raster.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const CHANNELS: Record<number, 1 | 2 | 3 | 4> = { 0: 1, 4: 2, 2: 3, 6: 4 };

/**
 * Decodes a PNG of 8 bits a channel without palette or interlacing.
 * @throws {SyntaxError} if the bytes are no such PNG, or end too early
 */
export async function decodePng(bytes: Uint8Array): Promise<Raster> {
  if (!SIGNATURE.every((byte, i) => bytes[i] === byte)) {
    throw new SyntaxError("Cannot decode a PNG: the file does not start with PNG's signature");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let header: { width: number; height: number; channels: 1 | 2 | 3 | 4 } | undefined;
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (type === "IEND") break;
    if (at + 12 + length > bytes.length) {
      throw new SyntaxError(`Cannot decode a PNG: it ends in the middle of its ${type} chunk`);
    }
    if (type === "IHDR") header = readHeader(view, at + 8);
    if (type === "IDAT") parts.push(bytes.slice(at + 8, at + 8 + length));
    at += 12 + length;
  }
  if (!header) throw new SyntaxError("Cannot decode a PNG: it has no header");
  const { width, height, channels } = header;
  const rows = await inflate(parts);
  const stride = width * channels;
  if (rows.length !== height * (stride + 1)) {
    throw new SyntaxError(
      `Cannot decode a PNG of ${width} x ${height}: it holds ${rows.length} bytes of pixels, not ` +
        `${height * (stride + 1)}`,
    );
  }
  const data = new Uint8Array(height * stride);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * stride, (y + 1) * stride);
    const above = y === 0 ? new Uint8Array(stride) : data.subarray((y - 1) * stride, y * stride);
    row.set(rows.subarray(y * (stride + 1) + 1, (y + 1) * (stride + 1)));
    unfilter(row, above, rows[y * (stride + 1)], channels);
  }
  return new Raster({ width, height, channels, data });
}

function readHeader(
  view: DataView,
  at: number,
): { width: number; height: number; channels: 1 | 2 | 3 | 4 } {
  const depth = view.getUint8(at + 8);
  const channels = CHANNELS[view.getUint8(at + 9)];
  const interlaced = view.getUint8(at + 12);
  if (depth !== 8 || channels === undefined || interlaced !== 0) {
    throw new SyntaxError(
      `Cannot decode a PNG of ${depth} bits, colour type ${view.getUint8(at + 9)}, interlacing ` +
        `${interlaced}: only 8 bits of grey or RGB, not interlaced, are written here`,
    );
  }
  return { width: view.getUint32(at), height: view.getUint32(at + 4), channels };
}

async function inflate(parts: Uint8Array<ArrayBuffer>[]): Promise<Uint8Array> {
  const stream = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  try {
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    throw new SyntaxError("Cannot decode a PNG: its pixels are damaged", { cause: error });
  }
}

/** Undoes a row's filter in place (W3C PNG specification, section 9.2). */
function unfilter(row: Uint8Array, above: Uint8Array, filter: number, pixelBytes: number): void {
  for (let i = 0; i < row.length; i++) {
    const left = i < pixelBytes ? 0 : row[i - pixelBytes];
    const corner = i < pixelBytes ? 0 : above[i - pixelBytes];
    const up = above[i];
    if (filter === 1) row[i] += left;
    else if (filter === 2) row[i] += up;
    else if (filter === 3) row[i] += (left + up) >> 1;
    else if (filter === 4) row[i] += nearest(left, up, corner);
    else if (filter !== 0) throw new SyntaxError(`Cannot decode a PNG: unknown filter ${filter}`);
  }
}

/** Paeth's predictor. */
function nearest(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
