/**
 * A PNG encoder of our own (W3C PNG specification, third edition) over the platform's
 * `CompressionStream`, so that it runs alike in browsers, Deno and Node: 8 bits a channel, gray, gray
 * with alpha, RGB and RGBA, with text chunks. Decoding is left to the platform.
 */
import { concatBytes } from "../bytes.ts";

/** What {@linkcode encodePng} writes. */
export interface PngImage {
  /** Pixels a row, at least 1. */
  width: number;
  /** Rows, at least 1. */
  height: number;
  /** 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. */
  channels: 1 | 2 | 3 | 4;
  /** `height * width * channels` bytes: rows from the top, pixels from the left, channels together. */
  data: Uint8Array | Uint8ClampedArray;
  /** Written as text chunks (tEXt for Latin-1 values, iTXt otherwise): keyword to text. */
  text?: Record<string, string>;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const COLOR_TYPE = { 1: 0, 2: 4, 3: 2, 4: 6 } as const;
const MAX_SIDE = 0x7fff_ffff;

const crcTable: Uint32Array = new Uint32Array(256);
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  crcTable[n] = c;
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * Encodes an image as PNG.
 * @returns the file's bytes
 * @throws {RangeError} if a size is not a positive integer or `data` has another length than the
 * sizes need
 * @throws {TypeError} if a text keyword is not 1 to 79 Latin-1 letters
 *
 * @example
 * ```ts
 * import { encodePng } from "@ganforge/ganforge/sampler";
 *
 * const file = await encodePng({ width: 2, height: 1, channels: 1, data: new Uint8Array([0, 255]) });
 * console.log(file.length); // some 70 bytes
 * ```
 */
export async function encodePng(image: PngImage): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height, channels, data } = image;
  if (!(channels in COLOR_TYPE)) {
    throw new RangeError(`Cannot write a PNG of ${channels} channels: it takes 1, 2, 3 or 4`);
  }
  for (const [name, side] of [["width", width], ["height", height]] as const) {
    if (!Number.isInteger(side) || side < 1 || side > MAX_SIDE) {
      throw new RangeError(`Cannot write a PNG of ${name} ${side}: it takes 1 to ${MAX_SIDE}`);
    }
  }
  const need = width * height * channels;
  if (data.length !== need) {
    throw new RangeError(
      `Cannot write a PNG of ${width} x ${height} x ${channels} channels from ${data.length} ` +
        `bytes: it needs ${need}`,
    );
  }
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, COLOR_TYPE[channels], 0, 0, 0], 8); // 8 bits, deflate, adaptive filters, no interlace
  const pixels = await deflate(filterRows(data, height, width * channels, channels));
  return concatBytes([
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", header),
    ...Object.entries(image.text ?? {}).map(([keyword, value]) => textChunk(keyword, value)),
    chunk("IDAT", pixels),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

/**
 * Puts before each row the filter whose residues have the smallest sum of magnitudes (the
 * specification's own advice, section 12.7), and filters the row with it.
 */
function filterRows(
  data: Uint8Array | Uint8ClampedArray,
  height: number,
  stride: number,
  pixelBytes: number,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(height * (stride + 1));
  const candidate = new Uint8Array(stride);
  const zero = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * stride, (y + 1) * stride);
    const above = y === 0 ? zero : data.subarray((y - 1) * stride, y * stride);
    const at = y * (stride + 1);
    let best = Infinity;
    for (let filter = 0; filter < 5; filter++) {
      filterRow(candidate, filter, row, above, pixelBytes);
      let cost = 0;
      for (let i = 0; i < stride; i++) {
        cost += candidate[i] < 128 ? candidate[i] : 256 - candidate[i];
      }
      if (cost >= best) continue;
      best = cost;
      out[at] = filter;
      out.set(candidate, at + 1);
    }
  }
  return out;
}

function filterRow(
  out: Uint8Array,
  filter: number,
  row: Uint8Array | Uint8ClampedArray,
  above: Uint8Array | Uint8ClampedArray,
  pixelBytes: number,
): void {
  for (let i = 0; i < row.length; i++) {
    const left = i < pixelBytes ? 0 : row[i - pixelBytes];
    const up = above[i];
    switch (filter) {
      case 0:
        out[i] = row[i];
        break;
      case 1:
        out[i] = row[i] - left;
        break;
      case 2:
        out[i] = row[i] - up;
        break;
      case 3:
        out[i] = row[i] - ((left + up) >> 1);
        break;
      default:
        out[i] = row[i] - paeth(left, up, i < pixelBytes ? 0 : above[i - pixelBytes]);
    }
  }
}

/** The neighbor that is nearest to `left + up - corner`; ties in this order. */
function paeth(left: number, up: number, corner: number): number {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/** Compresses to the zlib format ("deflate" is its name in the Compression Streams standard). */
async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function textChunk(keyword: string, value: string): Uint8Array<ArrayBuffer> {
  if (!/^[\x20-\x7e\xa1-\xff]{1,79}$/.test(keyword)) {
    throw new TypeError(
      `Cannot write the PNG keyword ${JSON.stringify(keyword)}: it takes 1 to 79 Latin-1 letters`,
    );
  }
  const key = Uint8Array.from(keyword, (letter) => letter.charCodeAt(0));
  if (/^[\n\x20-\x7e\xa0-\xff]*$/.test(value)) {
    const text = Uint8Array.from(value, (letter) => letter.charCodeAt(0));
    return chunk("tEXt", concatBytes([key, new Uint8Array(1), text]));
  }
  // keyword, 0, not compressed (2 bytes), no language (0), no translated keyword (0), UTF-8 text
  return chunk("iTXt", concatBytes([key, new Uint8Array(5), new TextEncoder().encode(value)]));
}

/** Length, type, data, and the checksum of type and data. */
function chunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(12 + data.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) out[4 + i] = type.charCodeAt(i);
  out.set(data, 8);
  view.setUint32(8 + data.length, crc32(out.subarray(4, 8 + data.length)));
  return out;
}
