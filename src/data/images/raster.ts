/**
 * Pictures of 8-bit pixels, and what happens to them on the way to a data set: transparency is
 * composited, colour becomes grey or grey colour, the middle is cut out and resized.
 */

/** A picture, rows from the top, channels interleaved. */
export interface Raster {
  /** Width in pixels. */
  width: number;
  /** Height in pixels. */
  height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha (not premultiplied). */
  channels: 1 | 2 | 3 | 4;
  /** `[height, width, channels]` */
  data: Uint8Array;
}

/** The picture on an opaque background of one grey level, without alpha. */
export function compositeAlpha(raster: Raster, background: number): Raster {
  if (raster.channels === 1 || raster.channels === 3) return raster;
  const { width, height, channels, data } = raster;
  const colours = channels === 2 ? 1 : 3;
  const flat = new Uint8Array(width * height * colours);
  for (let from = 0, to = 0; to < flat.length; from += channels) {
    const alpha = data[from + colours];
    for (let c = 0; c < colours; c++) {
      flat[to++] = Math.round((data[from + c] * alpha + background * (255 - alpha)) / 255);
    }
  }
  return { width, height, channels: colours, data: flat };
}

/** A picture without alpha as grey (1) or RGB (3). */
export function toChannels(raster: Raster, channels: 1 | 3): Raster {
  if (raster.channels === channels) return raster;
  const { width, height, data } = raster;
  const converted = new Uint8Array(width * height * channels);
  if (channels === 3) {
    for (let to = 0; to < converted.length; to++) converted[to] = data[Math.floor(to / 3)];
  } else {
    for (let to = 0, from = 0; to < converted.length; to++, from += 3) {
      // ITU-R BT.601 luma in 16-bit fixed point, as Pillow's "L"
      const luma = 19595 * data[from] + 38470 * data[from + 1] + 7471 * data[from + 2];
      converted[to] = (luma + 0x8000) >> 16;
    }
  }
  return { width, height, channels, data: converted };
}

/** The largest middle part of an aspect ratio, to the nearest pixel. */
export function cropToAspect(raster: Raster, aspect: { width: number; height: number }): Raster {
  const { width, height, channels, data } = raster;
  const scale = Math.min(width / aspect.width, height / aspect.height);
  const newWidth = Math.max(1, Math.round(aspect.width * scale));
  const newHeight = Math.max(1, Math.round(aspect.height * scale));
  if (newWidth === width && newHeight === height) return raster;
  const left = Math.floor((width - newWidth) / 2);
  const top = Math.floor((height - newHeight) / 2);
  const cropped = new Uint8Array(newWidth * newHeight * channels);
  const row = newWidth * channels;
  for (let y = 0; y < newHeight; y++) {
    const from = ((top + y) * width + left) * channels;
    cropped.set(data.subarray(from, from + row), y * row);
  }
  return { width: newWidth, height: newHeight, channels, data: cropped };
}

/** The middle of a picture, cut to the aspect ratio of a size and brought to that size. */
export function cropAndResize(raster: Raster, size: { width: number; height: number }): Raster {
  return resize(cropToAspect(raster, size), size);
}

/**
 * Resizes by a Lanczos-3 filter that widens when the picture shrinks, so nothing aliases. Pixel
 * centres and filter are those of Pillow's `LANCZOS`; results differ from it by rounding alone.
 */
export function resize(raster: Raster, size: { width: number; height: number }): Raster {
  const { width, height, channels, data } = raster;
  if (size.width === width && size.height === height) return raster;
  // [height, width, c] -> [height, size.width, c]
  const wide = new Uint8ClampedArray(height * size.width * channels); // rounded, as Pillow does
  filterAxis(data, wide, {
    lines: height,
    taps: lanczosTaps(width, size.width),
    inStride: channels,
    outStride: channels,
    inLine: width * channels,
    outLine: size.width * channels,
    channels,
  });
  // [height, size.width, c] -> [size.height, size.width, c], one column after another
  const full = new Uint8ClampedArray(size.height * size.width * channels);
  filterAxis(wide, full, {
    lines: size.width,
    taps: lanczosTaps(height, size.height),
    inStride: size.width * channels,
    outStride: size.width * channels,
    inLine: channels,
    outLine: channels,
    channels,
  });
  return { ...size, channels, data: new Uint8Array(full.buffer) };
}

/** The inputs `first`, `first + 1`, ... of one output, and their weights, which sum to 1. */
interface Taps {
  first: number;
  weights: Float64Array;
}

const knownTaps = new Map<string, Taps[]>();

/** The taps of each output; a data set asks for the same ones over and over. */
function lanczosTaps(inSize: number, outSize: number): Taps[] {
  const key = `${inSize} ${outSize}`;
  let taps = knownTaps.get(key);
  if (!taps) {
    taps = computeTaps(inSize, outSize);
    if (knownTaps.size >= 64) knownTaps.clear();
    knownTaps.set(key, taps);
  }
  return taps;
}

function computeTaps(inSize: number, outSize: number): Taps[] {
  const scale = inSize / outSize;
  const widening = Math.max(scale, 1);
  const support = 3 * widening;
  return Array.from({ length: outSize }, (_, out) => {
    const centre = (out + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const last = Math.min(inSize, Math.floor(centre + support + 0.5));
    const weights = Float64Array.from(
      { length: last - first },
      (_, k) => lanczos((first + k + 0.5 - centre) / widening),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/** sinc(x) sinc(x / 3) in [-3, 3], else 0. */
function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= 3) return 0;
  const t = Math.PI * x;
  return 3 * Math.sin(t) * Math.sin(t / 3) / (t * t);
}

interface AxisLayout {
  /** How many lines run along the axis. */
  lines: number;
  taps: Taps[];
  /** Distance of neighbours on a line. */
  inStride: number;
  outStride: number;
  /** Distance of neighbouring lines. */
  inLine: number;
  outLine: number;
  channels: number;
}

function filterAxis(
  input: Uint8Array | Uint8ClampedArray,
  output: Uint8ClampedArray,
  { lines, taps, inStride, outStride, inLine, outLine, channels }: AxisLayout,
): void {
  for (let line = 0; line < lines; line++) {
    for (let out = 0; out < taps.length; out++) {
      const { first, weights } = taps[out];
      for (let c = 0; c < channels; c++) {
        let from = line * inLine + first * inStride + c;
        let sum = 0;
        for (let k = 0; k < weights.length; k++, from += inStride) sum += weights[k] * input[from];
        output[line * outLine + out * outStride + c] = sum;
      }
    }
  }
}
