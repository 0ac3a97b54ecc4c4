/**
 * Decodes PNG (ISO/IEC 15948): every colour type, bit depth and interlacing. Deno's own decoder fails
 * on 16-bit grey and loses the alpha of grey pictures; this one also checks every chunk's checksum.
 */
import { crc32, inflateSync } from "node:zlib";
import { UserError } from "../../errors.ts";
import { unpackScanlines } from "./png_scanlines.ts";
import type { Raster } from "./raster.ts";

/** What the IHDR chunk says. */
export interface PngHeader {
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** Bits of a sample. */
  bitDepth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  colourType: number;
  /** Whether it is stored in Adam7's seven passes. */
  interlaced: boolean;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const DEPTHS: Record<number, readonly number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
/** Samples of a pixel, by colour type. */
const SAMPLES: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Whether bytes start as a PNG does. */
export function isPng(bytes: Uint8Array): boolean {
  return SIGNATURE.every((byte, i) => bytes[i] === byte);
}

/**
 * Reads the header of a PNG.
 * @throws {UserError} when it is truncated or makes no sense
 */
export function readPngHeader(bytes: Uint8Array, origin: string): PngHeader {
  if (bytes.length < 33) throw broken(origin, `it is truncated: it has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(8) !== 13 || chunkName(bytes, 12) !== "IHDR") {
    throw broken(origin, "its first chunk is not IHDR");
  }
  const header = {
    width: view.getUint32(16),
    height: view.getUint32(20),
    bitDepth: bytes[24],
    colourType: bytes[25],
    interlaced: bytes[28] === 1,
  };
  const known = DEPTHS[header.colourType]?.includes(header.bitDepth) ?? false;
  if (!known || bytes[26] !== 0 || bytes[27] !== 0 || bytes[28] > 1) {
    throw broken(
      origin,
      `its header has colour type ${header.colourType}, bit depth ${header.bitDepth}, ` +
        `compression ${bytes[26]}, filter ${bytes[27]}, interlace ${
          bytes[28]
        }, which PNG does not know`,
    );
  }
  return header;
}

/**
 * Decodes a PNG whose size the caller has found acceptable.
 * @param origin names it in messages
 * @throws {UserError} when it is truncated or damaged
 */
export function decodePng(bytes: Uint8Array, origin: string): Raster {
  const header = readPngHeader(bytes, origin);
  const { palette, transparency, packed } = readChunks(bytes, origin);
  const bitsPerPixel = SAMPLES[header.colourType] * header.bitDepth;
  const scanlineBytes = passes(header).reduce(
    (sum, { width, height }) => sum + height * (1 + Math.ceil(width * bitsPerPixel / 8)),
    0,
  );
  const scanlines = inflate(packed, scanlineBytes, origin);
  const samples = readSamples(scanlines, header, origin);
  return toRaster(samples, header, { palette, transparency, origin });
}

interface Chunks {
  palette?: Uint8Array;
  transparency?: Uint8Array;
  packed: Uint8Array;
}

function readChunks(bytes: Uint8Array, origin: string): Chunks {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const parts: Uint8Array[] = [];
  const found: Omit<Chunks, "packed"> = {};
  for (let at = 8;;) {
    if (at + 12 > bytes.length) {
      throw broken(
        origin,
        `it is truncated: it ends at byte ${bytes.length}, before its IEND chunk`,
      );
    }
    const size = view.getUint32(at);
    const name = chunkName(bytes, at + 4);
    const end = at + 8 + size;
    if (end + 4 > bytes.length) {
      throw broken(
        origin,
        `it is truncated: its ${name} chunk ends at byte ${end + 4}, the file at ${bytes.length}`,
      );
    }
    if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)) {
      throw broken(origin, `its ${name} chunk at byte ${at} has a wrong checksum: it is damaged`);
    }
    const data = bytes.subarray(at + 8, end);
    if (name === "PLTE") found.palette = data;
    if (name === "tRNS") found.transparency = data;
    if (name === "IDAT") parts.push(data);
    if (name === "IEND") return { ...found, packed: concatenate(parts) };
    at = end + 4;
  }
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function inflate(packed: Uint8Array, size: number, origin: string): Uint8Array {
  let unpacked: Uint8Array;
  try {
    unpacked = inflateSync(packed, { maxOutputLength: size });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw broken(origin, `its pixels do not unpack to ${size} bytes (${error.message})`);
  }
  if (unpacked.length !== size) {
    throw broken(origin, `its pixels unpack to ${unpacked.length} bytes: ${size} were expected`);
  }
  return unpacked;
}

/** One pass over the picture: Adam7 has seven, a plain picture one. */
interface Pass {
  width: number;
  height: number;
  left: number;
  top: number;
  stepX: number;
  stepY: number;
}

/** Adam7: left, top, horizontal step and vertical step of each pass. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

function passes({ width, height, interlaced }: PngHeader): Pass[] {
  if (!interlaced) return [{ width, height, left: 0, top: 0, stepX: 1, stepY: 1 }];
  return ADAM7.map(([left, top, stepX, stepY]) => ({
    width: Math.ceil((width - left) / stepX),
    height: Math.ceil((height - top) / stepY),
    left,
    top,
    stepX,
    stepY,
  })).filter((pass) => pass.width > 0 && pass.height > 0);
}

/** All samples, `[height, width, samples]`, each of `bitDepth` bits. */
function readSamples(scanlines: Uint8Array, header: PngHeader, origin: string): Uint16Array {
  const perPixel = SAMPLES[header.colourType];
  const samples = new Uint16Array(header.width * header.height * perPixel);
  let at = 0;
  for (const pass of passes(header)) {
    const unpacked = unpackScanlines(scanlines.subarray(at), {
      width: pass.width,
      height: pass.height,
      samplesPerPixel: perPixel,
      bitDepth: header.bitDepth,
    });
    if (unpacked === undefined) throw broken(origin, "a line has an unknown filter: it is damaged");
    at += unpacked.sizeBytes;
    let from = 0;
    for (let y = 0; y < pass.height; y++) {
      const row = (pass.top + y * pass.stepY) * header.width + pass.left;
      for (let x = 0; x < pass.width; x++) {
        const to = (row + x * pass.stepX) * perPixel;
        for (let s = 0; s < perPixel; s++) samples[to + s] = unpacked.samples[from++];
      }
    }
  }
  return samples;
}

function toRaster(
  samples: Uint16Array,
  { width, height, bitDepth, colourType }: PngHeader,
  { palette, transparency, origin }: Omit<Chunks, "packed"> & { origin: string },
): Raster {
  if (colourType === 3) {
    if (!palette) throw broken(origin, "it has no PLTE chunk, and its pixels need a palette");
    const channels = transparency ? 4 : 3;
    const data = new Uint8Array(samples.length * channels);
    for (let i = 0; i < samples.length; i++) {
      const entry = samples[i];
      if (entry * 3 + 2 >= palette.length) {
        throw broken(origin, `it uses colour ${entry} of a palette of ${palette.length / 3}`);
      }
      data.set(palette.subarray(entry * 3, entry * 3 + 3), i * channels);
      if (channels === 4) data[i * 4 + 3] = transparency?.[entry] ?? 255;
    }
    return { width, height, channels, data };
  }
  const largest = 2 ** bitDepth - 1;
  const perPixel = SAMPLES[colourType];
  const key = transparency && (colourType === 0 || colourType === 2)
    ? Array.from({ length: perPixel }, (_, s) => transparency[2 * s] << 8 | transparency[2 * s + 1])
    : undefined;
  const channels = (key ? perPixel + 1 : perPixel) as Raster["channels"];
  const data = new Uint8Array(width * height * channels);
  for (let from = 0, to = 0; from < samples.length; from += perPixel) {
    let isKey = true;
    for (let s = 0; s < perPixel; s++) {
      const sample = samples[from + s];
      data[to++] = Math.round(sample * 255 / largest);
      if (key && sample !== key[s]) isKey = false;
    }
    if (key) data[to++] = isKey ? 0 : 255;
  }
  return { width, height, channels, data };
}

function chunkName(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function broken(origin: string, detail: string): UserError {
  return new UserError(`Cannot read ${origin}: ${detail}`);
}
