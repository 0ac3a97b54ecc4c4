/**
 * Where tiles of a large image lie, and how much of each counts: nothing near an edge that was cut, as the cut
 * shows there, and from there on more and more, so that neighbors blend without a seam.
 */

/** One axis of an image, in pixels of the input. */
export interface AxisTiles {
  /** Pixels with padding: what the tiles cover. */
  padded: number;
  /** Pixels of a tile. */
  tile: number;
  /** Where each tile begins. */
  starts: number[];
  /** Of each tile `[tile * factor]` the share of each output pixel; over all tiles they add up to 1. */
  weights: Float32Array[];
}

/** How an axis is divided. */
export interface AxisOptions {
  /** Pixels of the image. */
  size: number;
  /** Pixels of a tile; the whole image lies in one where it fits. */
  tile: number;
  /** Where tiles may begin: at multiples of this. */
  multiple: number;
  /** Pixels from a cut edge that do not count. */
  reach: number;
  /** How much larger the output is. */
  factor: number;
}

/** Pixels over which neighbors blend. */
export const BLEND = 8;

/** How many pixels neighboring tiles share at least. */
export function sharedPixels(reach: number): number {
  return 2 * reach + BLEND;
}

/** Divides an axis. @param options.tile `sharedPixels(reach) + multiple` or more */
export function axisTiles({ size, tile, multiple, reach, factor }: AxisOptions): AxisTiles {
  const padded = Math.max(tile, Math.ceil(size / multiple) * multiple);
  const apart = Math.floor((tile - sharedPixels(reach)) / multiple) * multiple;
  const stride = Math.max(multiple, apart);
  const starts = [0];
  for (let next = stride; starts[starts.length - 1] + tile < padded; next += stride) {
    starts.push(Math.min(next, padded - tile));
  }
  return { padded, tile, starts, weights: weightsOf(starts, { padded, tile, reach, factor }) };
}

function weightsOf(
  starts: readonly number[],
  { padded, tile, reach, factor }: {
    padded: number;
    tile: number;
    reach: number;
    factor: number;
  },
): Float32Array[] {
  const length = tile * factor;
  const sums = new Float64Array(padded * factor);
  const raw = starts.map((start, index) =>
    Float64Array.from({ length }, (_, at) => {
      const position = (at + 0.5) / factor; // from the tile's left edge
      const left = index === 0 ? 1 : rise(position - reach);
      const right = index === starts.length - 1 ? 1 : rise(tile - position - reach);
      const weight = Math.min(left, right);
      sums[start * factor + at] += weight;
      return weight;
    })
  );
  return raw.map((weights, index) =>
    Float32Array.from(weights, (weight, at) => weight / sums[starts[index] * factor + at])
  );
}

/** 0 to 1 over the pixels that blend. */
function rise(distance: number): number {
  return Math.max(0, Math.min(1, distance / BLEND));
}

/** The pixel that stands for pixel `at` of an axis that is reflected at its ends, without repeating them. */
export function mirrored(at: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const within = at % period;
  return within < size ? within : period - within;
}
