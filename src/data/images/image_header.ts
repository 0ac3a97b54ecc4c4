/**
 * What an image's first and last bytes say: format, size, depth, whether it is all there. All files of
 * a data set are looked at like this before any is decoded, so that a broken one is reported at once.
 *
 * Formats: ITU-T T.81 annex B (JPEG), ISO/IEC 15948 (PNG), GIF89a, RFC 9649 (WebP), ISO/IEC 23000-22
 * (AVIF), TIFF 6.0.
 */
import { UserError } from "../../errors.ts";

/** The first and the last bytes of a file; both are all of a small one. */
export interface FileEnds {
  head: Uint8Array;
  tail: Uint8Array;
  sizeBytes: number;
}

/** What the ends of an image say. */
export interface ImageHeader {
  format: "jpeg" | "png" | "webp" | "gif" | "avif" | "tiff";
  /** Width in pixels, before the image is turned by its EXIF orientation; undefined where the head does not say. */
  width?: number;
  /** Height in pixels, likewise. */
  height?: number;
  /** Channels in the file: 1 or 2 for gray; undefined where the head does not say. */
  channels?: 1 | 2 | 3 | 4;
  /** Bits of a sample. */
  depth?: number;
  /** Whether it is stored in passes, so that all of it has to be in memory. */
  progressive?: boolean;
}

/** The most pixels of an image that is decoded line by line. */
export const MAX_PIXELS = 2 ** 28;

/** The most pixels of an image that has to be in memory as a whole; phones make 108 million. */
const MAX_WHOLE_PIXELS = 2 ** 27;

/** The longest side of an image. */
const MAX_SIDE = 2 ** 16;

/** The most pixels of a GIF, whose screen takes four bytes a pixel. */
const MAX_GIF_PIXELS = 2 ** 25;

/** Bytes of a head that hold the size of nearly every image. */
export const HEAD_BYTES = 2 ** 16;

/** Bytes of a tail that hold the end of nearly every image. */
export const TAIL_BYTES = 2 ** 12;

/** Recognizes the format of an image by its first bytes. @returns undefined when it is none that is known */
function imageFormat(head: Uint8Array): ImageHeader["format"] | undefined {
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return "jpeg";
  if (PNG_SIGNATURE.every((byte, i) => head[i] === byte)) return "png";
  const start = ascii(head, 0, 4);
  if (start === "GIF8" && /^[79]a$/.test(ascii(head, 4, 2))) return "gif";
  if (start === "RIFF" && ascii(head, 8, 4) === "WEBP") return "webp";
  if (ascii(head, 4, 4) === "ftyp" && /avi[fs]/.test(brands(head))) return "avif";
  if (/^(II[*+]\0|MM\0[*+])$/.test(start)) return "tiff";
  return undefined;
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** The brands that a file of boxes claims to follow. */
function brands(head: Uint8Array): string {
  const size = head.length < 4 ? 0 : new DataView(head.buffer, head.byteOffset).getUint32(0);
  return ascii(head, 8, Math.min(size, 64) - 8);
}

/**
 * Reads an image's header, and checks that its end is there.
 * @param file all bytes, or the ends of a file
 * @param origin names it in messages
 * @throws {UserError} when it is no image, truncated, or larger than its format may be here
 */
export function readImageHeader(file: Uint8Array | FileEnds, origin: string): ImageHeader {
  const ends = file instanceof Uint8Array
    ? { head: file, tail: file, sizeBytes: file.length }
    : file;
  const fail = (detail: string) => new UserError(`Cannot read ${origin}: ${detail}`);
  if (ends.sizeBytes === 0) throw fail("the file is empty (0 bytes)");
  const header = readFormat(ends, fail);
  const { width, height } = header;
  if (width === undefined || height === undefined) return header;
  const limit = maxPixels(header);
  if (Math.max(width, height) > MAX_SIDE) {
    throw fail(`its header says ${width} x ${height} pixels, and a side may have ${MAX_SIDE}`);
  }
  if (width === 0 || height === 0 || width * height > limit) {
    throw fail(
      `its header says ${width} x ${height} pixels, and such a ${header.format.toUpperCase()} may ` +
        `have 1 to ${limit}`,
    );
  }
  return header;
}

/** The most pixels that an image of this kind may have. */
export function maxPixels({ format, progressive }: ImageHeader): number {
  if (format === "gif") return MAX_GIF_PIXELS;
  const isWhole = progressive || format === "webp" || format === "avif";
  return isWhole ? MAX_WHOLE_PIXELS : MAX_PIXELS;
}

type Fail = (detail: string) => UserError;

function readFormat(ends: FileEnds, fail: Fail): ImageHeader {
  const format = imageFormat(ends.head);
  switch (format) {
    case "jpeg":
      return readJpeg(ends, fail);
    case "png":
      return readPng(ends, fail);
    case "gif":
      return readGif(ends, fail);
    case "webp":
      return readWebp(ends, fail);
    case "avif":
    case "tiff":
      return { format };
    case undefined: {
      const found = [...ends.head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0"));
      throw fail(
        `it starts with ${found.join(" ")}, which is no JPEG, PNG, WebP, GIF, AVIF or TIFF`,
      );
    }
  }
}

function readPng({ head, tail, sizeBytes }: FileEnds, fail: Fail): ImageHeader {
  if (sizeBytes < 45) throw fail(`it is truncated: it has ${sizeBytes} bytes`);
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  if (ascii(head, 12, 4) !== "IHDR") throw fail("its first chunk is not IHDR");
  const [depth, color] = [head[24], head[25]];
  const channels = ({ 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 } as const)[color];
  if (channels === undefined) throw fail(`its header has the unknown color type ${color}`);
  if (lastIndexOf(tail, [0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82]) < 0) {
    throw fail(`it is truncated: it ends at byte ${sizeBytes} without its IEND chunk`);
  }
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  return { format: "png", width, height, channels, depth, progressive: head[28] === 1 };
}

function readGif({ head, sizeBytes }: FileEnds, fail: Fail): ImageHeader {
  if (sizeBytes < 13) throw fail(`it is truncated: it has ${sizeBytes} bytes`);
  return { format: "gif", width: uint16(head, 6), height: uint16(head, 8), channels: 3, depth: 8 };
}

function readWebp({ head, sizeBytes }: FileEnds, fail: Fail): ImageHeader {
  if (sizeBytes < 30) throw fail("it is truncated within its header");
  const size = uint16(head, 4) + uint16(head, 6) * 65536 + 8;
  if (size > sizeBytes) {
    throw fail(`it is truncated: its header says ${size} bytes, and it has ${sizeBytes}`);
  }
  const rest = { format: "webp", channels: 3, depth: 8 } as const;
  const chunk = ascii(head, 12, 4);
  if (chunk === "VP8 ") {
    return { ...rest, width: uint16(head, 26) & 0x3fff, height: uint16(head, 28) & 0x3fff };
  }
  if (chunk === "VP8L") {
    const [low, high] = [uint16(head, 21), uint16(head, 23)];
    return {
      ...rest,
      width: (low & 0x3fff) + 1,
      height: (low >> 14 | (high & 0xfff) << 2) + 1,
    };
  }
  if (chunk === "VP8X") {
    const size24 = (at: number) => uint16(head, at) + head[at + 2] * 65536 + 1;
    return { ...rest, width: size24(24), height: size24(27) };
  }
  throw fail(`its first WebP chunk is ${JSON.stringify(chunk)}, which WebP does not know`);
}

/** Walks the segments to the frame header, as far as the head goes. */
function readJpeg({ head, tail, sizeBytes }: FileEnds, fail: Fail): ImageHeader {
  const isWhole = head.length === sizeBytes;
  if (isWhole && lastIndexOf(tail, [0xff, 0xd9]) < 0) {
    throw fail(`it is truncated: it ends at byte ${sizeBytes} without an end-of-image marker`);
  }
  for (let at = 2; at + 9 < head.length;) {
    if (head[at] !== 0xff) throw fail(`there is no JPEG marker at byte ${at}: it is damaged`);
    const marker = head[at + 1];
    if (marker === 0xff) { // a fill byte
      at++;
      continue;
    }
    if (marker === 0xd9 || marker === 0xda) break;
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) { // markers without a segment
      at += 2;
      continue;
    }
    // SOF0 to SOF15, except DHT, JPG and DAC, which share the range
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return {
        format: "jpeg",
        depth: head[at + 4],
        height: head[at + 5] << 8 | head[at + 6],
        width: head[at + 7] << 8 | head[at + 8],
        channels: head[at + 9] === 1 ? 1 : head[at + 9] === 4 ? 4 : 3,
        progressive: (marker & 3) === 2,
      };
    }
    at += 2 + (head[at + 2] << 8 | head[at + 3]);
  }
  if (!isWhole) return { format: "jpeg" };
  throw fail("it ends before it says how large the image is: it is truncated or damaged");
}

/**
 * Whether ends leave open if the file is whole, so that all of it has to be looked at: a JPEG may go
 * on after its end (phones append a film), and its size may come late.
 */
export function needsWhole(ends: FileEnds, header: ImageHeader): boolean {
  if (header.format === "avif" || header.format === "tiff") return true;
  if (header.format !== "jpeg") return false;
  return header.width === undefined || lastIndexOf(ends.tail, [0xff, 0xd9]) < 0;
}

function lastIndexOf(bytes: Uint8Array, wanted: readonly number[]): number {
  let at = bytes.length;
  while (at > 0) {
    at = bytes.lastIndexOf(wanted[0], at - 1);
    if (at < 0) return -1;
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}

function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at] | bytes[at + 1] << 8;
}

function ascii(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + Math.max(0, length)));
}
