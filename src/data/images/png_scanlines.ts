/** The innermost part of a PNG: filtered scanlines to samples (ISO/IEC 15948, section 9). */

/** The scanlines of one pass. */
export interface ScanlineLayout {
  /** Pixels of a line. */
  width: number;
  /** Lines. */
  height: number;
  /** Samples that a pixel consists of. */
  samplesPerPixel: number;
  /** Bits of a sample. */
  bitDepth: number;
}

/**
 * Undoes the filters and unpacks the samples. `lines` is changed in place.
 * @param lines each line: a filter's number, then its packed bytes
 * @returns samples as `[height, width, samplesPerPixel]` and how many bytes they took; nothing when a
 * filter is unknown
 */
export function unpackScanlines(
  lines: Uint8Array,
  { width, height, samplesPerPixel, bitDepth }: ScanlineLayout,
): { samples: Uint16Array; sizeBytes: number } | undefined {
  const lineBytes = Math.ceil(width * samplesPerPixel * bitDepth / 8);
  const pixelBytes = Math.max(1, samplesPerPixel * bitDepth / 8);
  const samples = new Uint16Array(width * height * samplesPerPixel);
  const perLine = width * samplesPerPixel;
  let above = new Uint8Array(lineBytes);
  for (let y = 0; y < height; y++) {
    const start = y * (lineBytes + 1);
    const filter = lines[start];
    if (filter > 4) return undefined;
    const line = lines.subarray(start + 1, start + 1 + lineBytes);
    unfilter(line, above, { filter, pixelBytes });
    unpackLine(line, samples.subarray(y * perLine, (y + 1) * perLine), bitDepth);
    above = line as Uint8Array<ArrayBuffer>;
  }
  return { samples, sizeBytes: height * (lineBytes + 1) };
}

function unfilter(
  line: Uint8Array,
  above: Uint8Array,
  { filter, pixelBytes }: { filter: number; pixelBytes: number },
): void {
  if (filter === 0) return;
  for (let i = 0; i < line.length; i++) {
    const left = i >= pixelBytes ? line[i - pixelBytes] : 0;
    const up = above[i];
    if (filter === 1) line[i] += left;
    else if (filter === 2) line[i] += up;
    else if (filter === 3) line[i] += (left + up) >> 1;
    else line[i] += paeth(left, up, i >= pixelBytes ? above[i - pixelBytes] : 0);
  }
}

/** Of left, up and upper left the one nearest to left + up - upper left. */
function paeth(left: number, up: number, corner: number): number {
  const fromLeft = Math.abs(up - corner);
  const fromUp = Math.abs(left - corner);
  const fromCorner = Math.abs(left + up - 2 * corner);
  if (fromLeft <= fromUp && fromLeft <= fromCorner) return left;
  return fromUp <= fromCorner ? up : corner;
}

function unpackLine(line: Uint8Array, samples: Uint16Array, bitDepth: number): void {
  if (bitDepth === 8) {
    samples.set(line);
  } else if (bitDepth === 16) {
    for (let i = 0; i < samples.length; i++) samples[i] = line[2 * i] << 8 | line[2 * i + 1];
  } else {
    const mask = 2 ** bitDepth - 1;
    for (let i = 0; i < samples.length; i++) {
      const bit = i * bitDepth;
      samples[i] = line[bit >> 3] >> (8 - bitDepth - (bit & 7)) & mask;
    }
  }
}
