/** A small GIF reader for the tests: frames as RGB, with their delays. GIF89a, W3C 1990. */

/** A decoded animation. */
export interface DecodedGif {
  width: number;
  height: number;
  /** How often it plays; 0 is for ever. */
  repeat: number | undefined;
  frames: { delayMs: number; rgb: Uint8Array; hasOwnPalette: boolean }[];
}

export function decodeGif(bytes: Uint8Array): DecodedGif {
  const word = (at: number): number => bytes[at] | bytes[at + 1] << 8;
  if (new TextDecoder().decode(bytes.subarray(0, 6)) !== "GIF89a") throw new Error("no GIF89a");
  const [width, height] = [word(6), word(8)];
  let at = 13;
  const paletteBytes = (fields: number): number => fields & 0x80 ? 3 << ((fields & 7) + 1) : 0;
  const shared = bytes.subarray(at, at + paletteBytes(bytes[10]));
  at += shared.length;
  const gif: DecodedGif = { width, height, repeat: undefined, frames: [] };
  let delayMs = 0;
  const blocks = (): Uint8Array => {
    const parts: number[] = [];
    while (bytes[at]) {
      parts.push(...bytes.subarray(at + 1, at + 1 + bytes[at]));
      at += 1 + bytes[at];
    }
    at++;
    return Uint8Array.from(parts);
  };
  for (; bytes[at] !== 0x3b;) {
    if (bytes[at] === 0x21) {
      const label = bytes[at + 1];
      at += 2;
      if (label === 0xff) at += 1 + bytes[at]; // the application's name
      const data = blocks();
      if (label === 0xf9) delayMs = 10 * (data[1] | data[2] << 8);
      if (label === 0xff) gif.repeat = data[1] | data[2] << 8;
    } else if (bytes[at] === 0x2c) {
      const own = paletteBytes(bytes[at + 9]);
      const palette = own ? bytes.subarray(at + 10, at + 10 + own) : shared;
      at += 10 + own;
      const codeSize = bytes[at++];
      const indices = unpack(blocks(), codeSize, width * height);
      const rgb = new Uint8Array(3 * indices.length);
      indices.forEach((index, i) => rgb.set(palette.subarray(3 * index, 3 * index + 3), 3 * i));
      gif.frames.push({ delayMs, rgb, hasOwnPalette: own > 0 });
    } else {
      throw new Error(`unknown block ${bytes[at]} at ${at}`);
    }
  }
  return gif;
}

/** LZW with codes that grow to 12 bits. */
function unpack(data: Uint8Array, codeSize: number, count: number): number[] {
  const clear = 1 << codeSize;
  let table: number[][] = [];
  let bits = 0;
  let previous: number[] | undefined;
  const reset = (): void => {
    table = Array.from({ length: clear + 2 }, (_, i) => [i]);
    bits = codeSize + 1;
    previous = undefined;
  };
  reset();
  const out: number[] = [];
  for (let at = 0; at + bits <= 8 * data.length;) {
    let code = 0;
    for (let k = 0; k < bits; k++, at++) code |= (data[at >> 3] >> (at & 7) & 1) << k;
    if (code === clear) {
      reset();
      continue;
    }
    if (code === clear + 1) break;
    const entry = table[code] ?? [...previous!, previous![0]];
    out.push(...entry);
    if (previous && table.length < 4096) table.push([...previous, entry[0]]);
    if (table.length === 1 << bits && bits < 12) bits++;
    previous = entry;
  }
  if (out.length !== count) throw new Error(`${out.length} pixels instead of ${count}`);
  return out;
}
