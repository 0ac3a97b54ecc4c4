/**
 * What a picture's first bytes say: format and size in pixels. Checked before decoding, because the
 * decoder of Deno 2.9 fills the lost part of a truncated JPEG with grey, and takes as much memory as
 * a damaged header asks for.
 *
 * Formats: ITU-T T.81 annex B (JPEG), GIF89a, RFC 9649 (WebP), ISO/IEC 15948 (PNG).
 */
import { UserError } from "../../errors.ts";
import { isPng, readPngHeader } from "./png_reader.ts";

/** Format and size of a picture. */
export interface ImageHeader {
  /** Its format. */
  format: "jpeg" | "png" | "webp" | "gif";
  /** Width in pixels, before a JPEG is turned by its EXIF orientation. */
  width: number;
  /** Height in pixels, likewise. */
  height: number;
}

/** The most pixels of a picture: 64 million. */
export const MAX_PIXELS = 2 ** 26;

/**
 * Recognises a picture and reads its size.
 * @param origin names it in messages
 * @throws {UserError} when it is no picture, truncated, or larger than {@linkcode MAX_PIXELS}
 */
export function readImageHeader(bytes: Uint8Array, origin: string): ImageHeader {
  const header = recognise(bytes, origin);
  const { width, height } = header;
  if (width === 0 || height === 0 || width * height > MAX_PIXELS) {
    throw broken(
      origin,
      `its header says ${width} x ${height} pixels, and a picture has 1 to ${MAX_PIXELS}`,
    );
  }
  return header;
}

function recognise(bytes: Uint8Array, origin: string): ImageHeader {
  if (bytes.length === 0) throw broken(origin, "the file is empty (0 bytes)");
  if (isPng(bytes)) {
    const { width, height } = readPngHeader(bytes, origin);
    return { format: "png", width, height };
  }
  const start = ascii(bytes, 0, 6);
  if (start === "GIF87a" || start === "GIF89a") return readGifHeader(bytes, origin);
  if (start.startsWith("RIFF") && ascii(bytes, 8, 4) === "WEBP") {
    return readWebpHeader(bytes, origin);
  }
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return readJpegHeader(bytes, origin);
  const found = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0"));
  throw broken(origin, `it starts with ${found.join(" ")}, which is no JPEG, PNG, WebP or GIF`);
}

/** Walks the blocks to the first frame, which must lie within the screen. */
function readGifHeader(bytes: Uint8Array, origin: string): ImageHeader {
  const width = uint16(bytes, 6);
  const height = uint16(bytes, 8);
  const flags = bytes[10];
  let at = 13 + (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  while (bytes[at] === 0x21) { // an extension: a label, then sub-blocks until an empty one
    at += 2;
    while (bytes[at] > 0) at += 1 + bytes[at];
    at++;
  }
  if (at + 9 >= bytes.length) {
    throw broken(
      origin,
      `it is truncated: it ends at byte ${bytes.length}, before its first frame`,
    );
  }
  if (bytes[at] !== 0x2c) {
    throw broken(origin, `there is no GIF block at byte ${at}: it is damaged`);
  }
  const right = uint16(bytes, at + 1) + uint16(bytes, at + 5);
  const bottom = uint16(bytes, at + 3) + uint16(bytes, at + 7);
  if (right > width || bottom > height) {
    throw broken(
      origin,
      `its first frame reaches to ${right} x ${bottom}, and its screen has ${width} x ${height} ` +
        `pixels: it is damaged`,
    );
  }
  return { format: "gif", width, height };
}

function readWebpHeader(bytes: Uint8Array, origin: string): ImageHeader {
  if (bytes.length < 30) throw broken(origin, "it is truncated within its header");
  const size = uint16(bytes, 4) + uint16(bytes, 6) * 65536 + 8;
  if (size > bytes.length) {
    throw broken(
      origin,
      `it is truncated: its header says ${size} bytes, and it has ${bytes.length}`,
    );
  }
  const chunk = ascii(bytes, 12, 4);
  if (chunk === "VP8 ") {
    return {
      format: "webp",
      width: uint16(bytes, 26) & 0x3fff,
      height: uint16(bytes, 28) & 0x3fff,
    };
  }
  if (chunk === "VP8L") {
    const low = uint16(bytes, 21);
    const high = uint16(bytes, 23);
    return {
      format: "webp",
      width: (low & 0x3fff) + 1,
      height: (low >> 14 | (high & 0xfff) << 2) + 1,
    };
  }
  if (chunk === "VP8X") {
    const size24 = (at: number) => uint16(bytes, at) + bytes[at + 2] * 65536 + 1;
    return { format: "webp", width: size24(24), height: size24(27) };
  }
  throw broken(origin, `its first WebP chunk is "${chunk}", which WebP does not know`);
}

/** Walks the segments to the frame's size, and on to the end-of-image marker. */
function readJpegHeader(bytes: Uint8Array, origin: string): ImageHeader {
  let header: ImageHeader | undefined;
  for (let at = 2; at + 1 < bytes.length;) {
    if (bytes[at] !== 0xff) {
      throw broken(origin, `there is no JPEG marker at byte ${at}: it is damaged`);
    }
    const marker = bytes[at + 1];
    if (marker === 0xd9) {
      if (!header) throw broken(origin, "it ends before it says how large the picture is");
      return header;
    }
    if (marker === 0xff) { // a fill byte
      at++;
      continue;
    }
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) { // markers without a segment
      at += 2;
      continue;
    }
    const size = at + 3 < bytes.length ? bytes[at + 2] << 8 | bytes[at + 3] : 0;
    if (size < 2 || at + 2 + size > bytes.length) break;
    // SOF0 to SOF15, except DHT, JPG and DAC, which share the range
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      if (header) throw broken(origin, `it has a second frame header at byte ${at}: it is damaged`);
      header = readJpegFrame(bytes.subarray(at + 4, at + 2 + size), origin);
    }
    at += 2 + size;
    if (marker === 0xda) at = skipScan(bytes, at);
  }
  throw broken(
    origin,
    `it is truncated: it ends at byte ${bytes.length} without an end-of-image marker`,
  );
}

/**
 * Reads a JPEG's frame header. Deno 2.9 ends with a panic when a component has more samples than the
 * first one, which no encoder writes, so such a header counts as damaged.
 */
function readJpegFrame(segment: Uint8Array, origin: string): ImageHeader {
  const components = segment[5];
  if (segment.length < 6 || segment.length !== 6 + 3 * components) {
    throw broken(origin, "its frame header has a wrong length: it is damaged");
  }
  const sampling = (component: number) => segment[7 + 3 * component];
  for (let component = 1; component < components; component++) {
    const [factor, first] = [sampling(component), sampling(0)];
    if (factor >> 4 > first >> 4 || (factor & 15) > (first & 15)) {
      throw broken(
        origin,
        `component ${component} of its frame is sampled ${factor >> 4} x ${
          factor & 15
        } times, the ` +
          `first one ${first >> 4} x ${first & 15} times: it is damaged`,
      );
    }
  }
  return {
    format: "jpeg",
    height: segment[1] << 8 | segment[2],
    width: segment[3] << 8 | segment[4],
  };
}

/** The next marker after the compressed data that start at `at`, or the end of the file. */
function skipScan(bytes: Uint8Array, at: number): number {
  for (;;) {
    at = bytes.indexOf(0xff, at);
    if (at < 0 || at + 1 >= bytes.length) return bytes.length;
    const next = bytes[at + 1];
    if (next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at; // not stuffed, not a restart
    at += 2;
  }
}

function uint16(bytes: Uint8Array, at: number): number {
  return bytes[at] | bytes[at + 1] << 8;
}

function ascii(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

function broken(origin: string, detail: string): UserError {
  return new UserError(`Cannot read ${origin}: ${detail}`);
}
